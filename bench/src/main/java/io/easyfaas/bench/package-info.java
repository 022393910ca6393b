/// Peers in Java that the engine is measured against. Nothing of the engine is used here.
@NullMarked
package io.easyfaas.bench;

import org.jspecify.annotations.NullMarked;
