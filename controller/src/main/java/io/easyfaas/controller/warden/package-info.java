/// What happens to slots outside of the pool's lock: the slow work that the pool decides on.
///
/// {@link io.easyfaas.controller.warden.Warden} starts it, one virtual thread a piece; {@link
/// io.easyfaas.controller.warden.SlotWarden} does it for one slot, and tells the pool how it ended;
/// {@link io.easyfaas.controller.warden.Tenure} is what becomes of a runner that serves; {@link
/// io.easyfaas.controller.warden.Sweeper} looks at everything once a second.
@NullMarked
package io.easyfaas.controller.warden;

import org.jspecify.annotations.NullMarked;
