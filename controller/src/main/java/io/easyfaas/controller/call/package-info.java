/// The invoke API of the controller: from an HTTP request to a call through the door, and from what
/// the call came to, to an HTTP answer. Confined to its connections' event loops but for the
/// encoding of answers, which happens where they come.
@NullMarked
package io.easyfaas.controller.call;

import org.jspecify.annotations.NullMarked;
