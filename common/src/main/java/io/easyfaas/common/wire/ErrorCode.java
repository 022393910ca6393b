package io.easyfaas.common.wire;

/// Every way the engine itself refuses or fails a request, with its HTTP status. This table is the
/// only place that maps failures to status codes.
public enum ErrorCode {
  /// A parameter, name or document has the wrong form.
  INVALID_PARAMETER(
      "InvalidParameterValueException", 400, "One of the parameters in the request is invalid"),
  /// A request body is not what it must be.
  INVALID_REQUEST_CONTENT(
      "InvalidRequestContentException", 400, "The request body could not be parsed as JSON"),
  /// What came is no request, or a trigger URL that does not name a function.
  INVALID_REQUEST("InvalidRequestException", 400, "Invalid Request"),
  /// The caller does not own the function.
  INVALID_CALLER("InvalidInvokeCallerException", 403, "Invalid caller id"),
  /// No such function, version, runtime or container.
  RESOURCE_NOT_FOUND(
      "ResourceNotFoundException", 404, "The resource specified in the request does not exist"),
  /// There is a function, but its code is not where its document says.
  CODE_NOT_FOUND("CodeNotFoundException", 404, "The code of the function does not exist"),
  /// A head or a body does not get on.
  SLOW_REQUEST("SlowRequestException", 408, "The request does not come fast enough"),
  /// The thing exists already, or is in use.
  RESOURCE_CONFLICT("ResourceConflictException", 409, "The resource is in use or exists already"),
  /// A body or code package is larger than the limit.
  REQUEST_TOO_LARGE("RequestTooLargeException", 413, "The request is larger than the limit"),
  /// A request expects what this engine does not know.
  EXPECTATION_FAILED("ExpectationFailedException", 417, "What the request expects is not known"),
  /// A head is larger, or has more headers, than the limit.
  HEAD_TOO_LARGE(
      "RequestHeadTooLargeException", 431, "The head of the request is larger than the limit"),
  /// No slot or memory became free in time.
  TOO_MANY_REQUESTS("TooManyRequestsException", 429, "Too many requests"),
  /// Anything unexpected.
  SERVICE("ServiceException", 500, "Service encountered an internal error"),
  /// A trigger's controller failed.
  INTERNAL("InternalException", 502, "Internal Error"),
  /// The runtime a function asks for is not there.
  INVALID_RUNTIME(
      "InvalidRuntimeException", 502, "The runtime or runtime version specified is not supported"),
  /// A function's answer cannot be turned into an HTTP response.
  BAD_GATEWAY("BadGatewayException", 502, "Bad Gateway"),
  /// A feature this engine does not have.
  NOT_IMPLEMENTED("NotImplementedException", 501, "this method is not implemented"),
  /// The engine is starting, stopping or out of disk.
  UNAVAILABLE("ServiceUnavailableException", 503, "Service is unavailable"),
  /// What an account, or all of them, may store is used up.
  STORAGE_EXCEEDED(
      "CodeStorageExceededException", 507, "The limit of what may be stored is reached"),
  /// Another part of the engine did not answer in time.
  GATEWAY_TIMEOUT("RequestTimeoutException", 504, "Task timed out"),
  /// A request of another version of HTTP.
  VERSION_NOT_SUPPORTED(
      "HttpVersionNotSupportedException", 505, "The version of HTTP is not supported");

  /// Whose fault a failure is, which decides whether another try makes sense.
  public enum Fault {
    /// The request is wrong, and stays so.
    CALLER,
    /// Nothing was done: there is no room, or the engine is starting or stopping.
    NOBODY_YET,
    /// The engine failed, or what it relies on.
    ENGINE
  }

  private final String wireName;
  private final int status;
  private final String message;

  ErrorCode(String wireName, int status, String message) {
    this.wireName = wireName;
    this.status = status;
    this.message = message;
  }

  /// The code that another part of the engine means; by its status when the name is not known.
  public static ErrorCode of(String wireName, int status) {
    for (ErrorCode code : values()) {
      if (code.wireName.equals(wireName)) {
        return code;
      }
    }
    for (ErrorCode code : values()) {
      if (code.status == status) {
        return code;
      }
    }
    return status < 500 ? INVALID_REQUEST : INTERNAL;
  }

  /// The `Code` member of the error object.
  public String wireName() {
    return wireName;
  }

  /// The HTTP status.
  public int status() {
    return status;
  }

  /// Whose fault it is.
  public Fault fault() {
    if (this == TOO_MANY_REQUESTS || this == UNAVAILABLE) {
      return Fault.NOBODY_YET;
    }
    return status < 500 ? Fault.CALLER : Fault.ENGINE;
  }

  /// The `Message` member of the error object.
  public String message() {
    return message;
  }
}
