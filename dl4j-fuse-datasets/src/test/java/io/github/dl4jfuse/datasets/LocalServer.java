package io.github.dl4jfuse.datasets;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A web server of this machine alone, for tests of downloads. Paths that were not prepared answer 404. */
final class LocalServer implements AutoCloseable {
    private final HttpServer server;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());

    LocalServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.start();
    }

    /** Returns the address of this server's root, ending in a slash. */
    URI base() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    /** Returns the paths asked for so far. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    void serve(String path, byte[] content) {
        serve(path, content, content.length);
    }

    /** Announces {@code announced} bytes, sends the content and closes the connection. */
    void serve(String path, byte[] content, int announced) {
        handle(path, exchange -> {
            exchange.sendResponseHeaders(200, announced);
            OutputStream body = exchange.getResponseBody();
            body.write(content);
            body.flush();
        });
    }

    /** Sends the beginning and then nothing more, without closing the connection. */
    void stallAfter(String path, byte[] beginning) {
        handle(path, exchange -> {
            exchange.sendResponseHeaders(200, beginning.length + 1L);
            exchange.getResponseBody().write(beginning);
            exchange.getResponseBody().flush();
            awaitClosing();
        });
    }

    private void handle(String path, Answer answer) {
        server.createContext("/" + path, exchange -> {
            requests.add(exchange.getRequestURI().getPath());
            try {
                answer.send(exchange);
            } finally {
                exchange.close();
            }
        });
    }

    private void awaitClosing() {
        try {
            closing.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
    }

    private interface Answer {
        void send(HttpExchange exchange) throws IOException;
    }
}
