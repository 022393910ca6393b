package io.easyfaas.httptrigger.remote;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.easyfaas.common.http.EventLoops;
import io.easyfaas.common.http.HttpAddress;
import io.easyfaas.common.http.HttpClient;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.HttpServer;
import io.easyfaas.common.invoke.AnswerHead;
import io.easyfaas.common.invoke.CallFailure;
import io.easyfaas.common.invoke.CallHeaders;
import io.easyfaas.common.invoke.CallRequest;
import io.easyfaas.common.invoke.CallSink;
import io.easyfaas.common.invoke.CallTerms;
import io.easyfaas.common.invoke.FunctionReference;
import io.easyfaas.common.invoke.Receipt;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whatever the other side says, and whatever goes wrong, a call has an outcome.
final class RemoteCallTest {
  private final EventLoops loops = new EventLoops(1);
  private volatile HttpResponse answer = HttpResponse.text(200, "fine");
  private final HttpServer controller =
      HttpServer.start(new HttpAddress.Tcp("127.0.0.1", 0), loops, 1 << 20, _ -> answer);
  private final HttpClient client = new HttpClient(controller.address(), loops);
  private final HttpInvoker invoker = new HttpInvoker(client);

  @AfterEach
  void stop() {
    invoker.close();
    client.close();
    controller.close();
    loops.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          200 | X-Bce-Log-Result             | not base64!                   | answered
          200 | X-Easyfaas-Function-Exectime | soon                          | answered
          503 | Retry-After              | Wed, 21 Oct 2026 07:28:00 GMT | failed
          503 | Retry-After              | -1                            | failed
          503 | Retry-After              | 99999999999999999999          | failed
          """)
  void anOddHeaderCostsNobodyTheAnswer(int status, String name, String value, String outcome)
      throws InterruptedException {
    answer = HttpResponse.text(status, "fine").withHeader(name, value);

    assertThat(call("account")).startsWith(outcome).contains("fine");
  }

  @Test
  void aRequestThatCannotBeSentFails() throws InterruptedException {
    assertThat(call("no\naccount")).startsWith("failed").contains("no answer from the controller");
  }

  /// What the sink hears.
  private String call(String account) throws InterruptedException {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    CallRequest request =
        new CallRequest(
            new FunctionReference("hello", "", account, ""),
            "id".getBytes(UTF_8),
            CallTerms.USUAL,
            CallHeaders.NONE,
            Unpooled.EMPTY_BUFFER);
    var _ =
        invoker.invoke(
            request,
            new CallSink() {
              @Override
              public void answered(Receipt receipt, ByteBuf body) {
                heard.add("answered " + body.toString(UTF_8));
              }

              @Override
              public void began(AnswerHead head) {
                heard.add("began");
              }

              @Override
              public void part(ByteBuf bytes) {
                heard.add("part");
              }

              @Override
              public void ended(Receipt receipt) {
                heard.add("ended");
              }

              @Override
              public void failed(CallFailure failure) {
                heard.add("failed " + failure);
              }
            });
    String first = heard.poll(20, TimeUnit.SECONDS); // Else there is none, ever.
    return first == null ? "nothing" : first;
  }
}
