/// The controller's end of a sandbox: its two sockets, the frames on them, and the runner behind.
///
/// One event loop owns everything of a sandbox. Who needs a call run hands it to a {@link
/// io.easyfaas.controller.runtime.Runner} and hears back through {@link
/// io.easyfaas.controller.runtime.RunnerCall}; nothing here knows about slots or HTTP.
@NullMarked
package io.easyfaas.controller.runtime;

import org.jspecify.annotations.NullMarked;
