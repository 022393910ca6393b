package io.easyfaas.controller.call;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.easyfaas.common.http.Exchange;
import io.easyfaas.common.http.HttpResponse;
import io.easyfaas.common.http.PartStream;
import io.easyfaas.common.invoke.Receipt;
import io.easyfaas.common.json.JsonWriter;
import io.easyfaas.common.wire.Headers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import java.io.InputStreamReader;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An answer that has payload and log in one JSON object. Escaped it may be six times as large as
/// the payload, so it is written as the client takes it and never whole. Blocks; for a thread of
/// its own.
final class BodyWithLog {
  private static final Logger LOG = LoggerFactory.getLogger(BodyWithLog.class);

  private final Exchange exchange;
  private final Receipt receipt;
  private final String requestId;
  private final PartStream parts;

  BodyWithLog(Exchange exchange, String requestId, Receipt receipt) {
    this.exchange = exchange;
    this.requestId = requestId;
    this.receipt = receipt;
    this.parts = new PartStream(exchange, headers());
  }

  /// Answers. A failure is the answer as long as nothing was sent, else the connection ends.
  ///
  /// @param payload UTF-8, what is not is replaced; stays the caller's to release
  void write(ByteBuf payload) {
    try {
      JsonWriter document = new JsonWriter(parts);
      if (receipt.failed()) {
        document.text("FunctionError", "Unhandled");
      }
      if (!receipt.log().isEmpty()) {
        document.text("LogResult", receipt.log());
      }
      document.text(
          "Payload", new InputStreamReader(new ByteBufInputStream(payload.slice()), UTF_8));
      document.close();
      parts.close();
    } catch (Throwable e) { // Top of the thread: without an answer the client would hang.
      if (!parts.isClientGone()) {
        LOG.error("request={}: the answer with its log could not be written", requestId, e);
      }
      if (!parts.drop()) {
        exchange.answer(HttpResponse.error(e).withHeader(Headers.REQUEST_ID, requestId));
      }
    }
  }

  /// Nobody reads the answer any more. Any thread.
  void clientLeft() {
    parts.clientLeft();
  }

  private Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Content-Type", "application/json; charset=utf-8");
    headers.put(Headers.REQUEST_ID, requestId);
    if (receipt.hasRun()) {
      headers.put(Headers.EXEC_TIME, receipt.executionMillis());
    }
    return headers;
  }
}
