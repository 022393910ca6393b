/// Benchmarks that have to stand where the pool's own tests stand.
@NullMarked
package io.easyfaas.controller.pool;

import org.jspecify.annotations.NullMarked;
