/// The local function registry: stores functions in a directory and serves them over HTTP, see
/// docs/registry.md. This package is the process: configuration and composition; rules are in
/// `registry`, the disk is in `store`.
///
/// It is one of many possible registries. The engine knows it only by its HTTP contract.
@NullMarked
package io.easyfaas.stubs;

import org.jspecify.annotations.NullMarked;
