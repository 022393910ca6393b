/// What a sandbox's file system looks like: which host directory appears where, and how.
///
/// Decides only; the launcher mounts. Every mount lives in a sandbox's own mount namespace, so none
/// is ever seen, or left behind, on the host.
@NullMarked
package io.easyfaas.funclet.mount;

import org.jspecify.annotations.NullMarked;
