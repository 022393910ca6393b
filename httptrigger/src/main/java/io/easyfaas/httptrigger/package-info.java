/// The HTTP trigger: turns a request to a URL into a call of a function, and the function's answer
/// into an HTTP response, see docs/http-trigger.md. This package is the process: configuration and
/// composition; which function is meant is decided in `route`, what it sees and may answer in
/// `event`.
///
/// Keeps no state. It speaks to the controller over HTTP and to nothing else.
@NullMarked
package io.easyfaas.httptrigger;

import org.jspecify.annotations.NullMarked;
