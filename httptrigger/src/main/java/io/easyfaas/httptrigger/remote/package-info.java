/// The door to functions of a controller in another process, over HTTP.
@NullMarked
package io.easyfaas.httptrigger.remote;

import org.jspecify.annotations.NullMarked;
