package io.easyfaas.common.wire;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;

/// One slot as the controller's `GET /v1/runtimes` shows it. The spelling of its members is that of
/// existing clients.
///
/// @param runtimeID the container
/// @param state `closed`, `cold`, `warmup`, `warm` or `stopping`
/// @param used whether a runner is connected
/// @param marked whether the slot holds memory
/// @param abnormal whether it is out of use until it is repaired
/// @param abnormalTimes how often it had to be repaired
/// @param resource what it holds
/// @param userID owner of its function, empty when it has none
/// @param commitID revision of its function, empty when it has none
/// @param memorySize memory of its function in mebibytes, 0 when it has none
/// @param concurrentMode whether its function runs several calls at once
/// @param defaultConcurrentMode whether functions may do so at all
/// @param concurrency calls in flight
/// @param withStreamMode whether answers are streamed
/// @param waitRuntimeAliveTimeout seconds a runner may take to connect
/// @param preLoadTimeMS when the last warm-up began, milliseconds since the epoch
/// @param postLoadTimeMS when code and runtime were mounted
/// @param preInitTimeMS when the runner was connected
/// @param postInitTimeMS when the function was loaded
/// @param acceptReqCnt calls the slot got
/// @param rejectReqCnt calls that were refused because its warm-up failed
/// @param lastLivenessTime RFC 3339; when the slot was last known to work
/// @param lastAccessTime RFC 3339; when a call last got it
/// @param lastResetTime RFC 3339; when it was last reset
@JsonInclude(JsonInclude.Include.ALWAYS)
public record RuntimeInfo(
    String runtimeID,
    String state,
    @JsonProperty("used") boolean used,
    @JsonProperty("marked") boolean marked,
    @JsonProperty("abnormal") boolean abnormal,
    @JsonProperty("abnormalTimes") int abnormalTimes,
    Resource resource,
    String userID,
    String commitID,
    int memorySize,
    boolean concurrentMode,
    boolean defaultConcurrentMode,
    int concurrency,
    boolean withStreamMode,
    int waitRuntimeAliveTimeout,
    long preLoadTimeMS,
    long postLoadTimeMS,
    long preInitTimeMS,
    long postInitTimeMS,
    long acceptReqCnt,
    long rejectReqCnt,
    String lastLivenessTime,
    String lastAccessTime,
    String lastResetTime) {}
