package io.easyfaas.controller.userlog;

/// How user logs are written.
public enum UserLogFormat {
  /// `<time> TAB <request id> TAB <text>`.
  PLAIN,
  /// One JSON object a line.
  JSON
}
