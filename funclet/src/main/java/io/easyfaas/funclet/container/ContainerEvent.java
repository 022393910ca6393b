package io.easyfaas.funclet.container;

/// What is being done to a container.
enum ContainerEvent {
  /// Its first sandbox is made.
  INIT("event_init"),
  /// A runner or a function is put into it.
  WARMUP("event_warmup"),
  /// It is frozen or thawed.
  FREEZE("event_freeze"),
  /// Its sandbox is made anew.
  RESET("event_reset");

  private final String wireName;

  ContainerEvent(String wireName) {
    this.wireName = wireName;
  }

  String wireName() {
    return wireName;
  }
}
