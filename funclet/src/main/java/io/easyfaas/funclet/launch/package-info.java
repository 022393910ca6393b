/// Talks to `easyfaas-launcher`, the one native program, which makes the sandboxes
/// (docs/launcher.md).
///
/// The only package that starts a process. Commands are exact argument vectors, answers are values:
/// a refused command is a {@link io.easyfaas.funclet.launch.LaunchReport}, never an exception. What
/// a sandbox looks like is decided elsewhere.
@NullMarked
package io.easyfaas.funclet.launch;

import org.jspecify.annotations.NullMarked;
