/// The containers of this node: one slot each, with a sandbox that is made anew for every function.
///
/// Owns the life of a container (see {@link io.easyfaas.funclet.container.ContainerState}) and the
/// memory ledger. What a sandbox looks like is decided in `mount`, who makes it is `launch`, what
/// it may use is enforced by `cgroup`. Knows nothing of HTTP. All state is in memory: a new engine
/// starts with new sandboxes.
@NullMarked
package io.easyfaas.funclet.container;

import org.jspecify.annotations.NullMarked;
