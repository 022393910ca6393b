/// The node agent: the only privileged process. Owns the sandboxes of this machine or Pod and
/// offers them to the controller through {@link io.easyfaas.common.wire.FuncletApi}, in the same
/// JVM or over a unix socket.
///
/// This package wires the others together and decides the order of start and end.
@NullMarked
package io.easyfaas.funclet;

import org.jspecify.annotations.NullMarked;
