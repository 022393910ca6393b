package io.easyfaas.controller.userlog;

/// How user logs are written.
public enum UserLogFormat {
  /// One file a call, `<time> TAB <text>` lines.
  PLAIN,
  /// One file for all, one JSON object a line.
  JSON
}
