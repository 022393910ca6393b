/// What things take of a disk, and who gives when it is full: sizes in blocks and inodes, not in
/// bytes of content.
///
/// Knows no directory of the engine and no limit: whoever writes one has both. No state.
@NullMarked
package io.easyfaas.common.disk;

import org.jspecify.annotations.NullMarked;
