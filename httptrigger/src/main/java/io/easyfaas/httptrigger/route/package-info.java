/// From a URL to a function and from its call to a response. Holds no state but the connections to
/// the controller.
@NullMarked
package io.easyfaas.httptrigger.route;

import org.jspecify.annotations.NullMarked;
