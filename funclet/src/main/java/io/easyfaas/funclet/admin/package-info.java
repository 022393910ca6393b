/// Funclet's HTTP API on its unix socket: turns requests into calls of {@link
/// io.easyfaas.common.wire.FuncletApi} and answers into JSON.
///
/// Knows paths, parameters and documents, nothing of sandboxes. Stateless.
@NullMarked
package io.easyfaas.funclet.admin;

import org.jspecify.annotations.NullMarked;
