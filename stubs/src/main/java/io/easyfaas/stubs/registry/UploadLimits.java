package io.easyfaas.stubs.registry;

import io.easyfaas.common.config.ByteSize;

/// What is taken of code that is uploaded.
///
/// @param maxCode the largest zip that is stored
/// @param maxUploads packages that may be on their way at once
/// @param maxSpace of the disk that they may take together
public record UploadLimits(ByteSize maxCode, int maxUploads, ByteSize maxSpace) {}
