package io.easyfaas.common.http;

/// Takes the place of a request that cannot become one: what to answer, in its turn, before the
/// connection is closed. Nothing that follows it on the connection is looked at.
///
/// @param response the answer
record Refusal(HttpResponse response) {}
