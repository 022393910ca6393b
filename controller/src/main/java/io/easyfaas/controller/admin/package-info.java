/// The controller's API for people and monitoring: what the slots do, and what calls cost. Runs on
/// virtual threads and only reads, but for `invalidate`.
@NullMarked
package io.easyfaas.controller.admin;

import org.jspecify.annotations.NullMarked;
