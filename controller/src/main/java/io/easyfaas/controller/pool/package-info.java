/// The slots of this Pod: which function is in which sandbox, who may call it, and who waits.
///
/// {@link io.easyfaas.controller.pool.SlotPool} owns all state and does no I/O; {@link
/// io.easyfaas.controller.pool.Placement} decides and has no state. The slow work (warm-up, reset)
/// is asked for through {@link io.easyfaas.controller.pool.SlotWork}, and how it ended is told as a
/// {@link io.easyfaas.controller.pool.SlotEvent}. docs/state-machine.md has the table.
@NullMarked
package io.easyfaas.controller.pool;

import org.jspecify.annotations.NullMarked;
