package io.easyfaas.controller;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.Receipt;
import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletableFuture;

/// Keeps what a call came to.
class RecordingSink implements CallSink {
  final CompletableFuture<String> answer = new CompletableFuture<>();
  final CompletableFuture<CallFailure> failure = new CompletableFuture<>();

  @Override
  public void answered(Receipt receipt, ByteBuf bytes) {
    answer.complete(bytes.toString(UTF_8));
  }

  @Override
  public void began(AnswerHead head) {
    throw new AssertionError("no streams here");
  }

  @Override
  public void part(ByteBuf bytes) {
    throw new AssertionError("no streams here");
  }

  @Override
  public void ended(Receipt receipt) {
    throw new AssertionError("no streams here");
  }

  @Override
  public void failed(CallFailure why) {
    failure.complete(why);
  }
}
