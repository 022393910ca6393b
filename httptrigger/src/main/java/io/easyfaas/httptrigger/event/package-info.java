/// What a function sees of an HTTP request, and what its answer means as an HTTP response. Pure
/// translations; this package opens no connection.
@NullMarked
package io.easyfaas.httptrigger.event;

import org.jspecify.annotations.NullMarked;
