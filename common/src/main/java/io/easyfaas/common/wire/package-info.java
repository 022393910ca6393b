/// What the processes say to each other: the funclet API's records, the frames between controller
/// and runner, header names, and the one error object with the one table that decides HTTP status.
///
/// Values and codecs only; nothing here opens a connection.
@NullMarked
package io.easyfaas.common.wire;

import org.jspecify.annotations.NullMarked;
