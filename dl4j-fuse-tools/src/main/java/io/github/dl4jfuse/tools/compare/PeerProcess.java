package io.github.dl4jfuse.tools.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.dl4jfuse.datasets.DataSource;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * A running peer: first it is sent the data, then it answers requests, one at a time. Requests and answers are lines of JSON
 * on its standard input and output; what they hold stands at the top of {@code compare_peer.py}.
 */
final class PeerProcess implements AutoCloseable {

    /** One thread, and memory that is kept: else PyTorch gives it back in each step, which takes up to six times as long. */
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "OMP_NUM_THREADS", "1",
            "OPENBLAS_NUM_THREADS", "1",
            "MALLOC_MMAP_MAX_", "0",
            "MALLOC_TOP_PAD_", String.valueOf(256 << 20),
            "MALLOC_TRIM_THRESHOLD_", String.valueOf(512 << 20));

    private static final int SENDING_BATCH = 1_000;

    private static final int SECONDS_TO_END = 10;

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path program;
    private final Process process;
    private final Path errors;
    private final OutputStream to;
    private final BufferedReader from;
    private final String machine;

    /**
     * Starts a process and sends the data.
     *
     * @throws Peer.Failure if it cannot start, or does not know the workload
     */
    PeerProcess(Path program, Workload workload, Workload.Split data) {
        this.program = program;
        try {
            errors = Files.createTempFile("dl4j-fuse-peer", ".txt");
            errors.toFile().deleteOnExit();
            ProcessBuilder builder = new ProcessBuilder(program.toAbsolutePath().toString());
            builder.environment().remove("OPENBLAS_CORETYPE"); // set for Java; nobody sets it who does not know of it
            builder.environment().putAll(ENVIRONMENT);
            process = builder.redirectError(errors.toFile()).start();
        } catch (IOException e) {
            throw new Peer.Failure("the program " + program + " cannot be started (" + e.getMessage() + ")", e);
        }
        to = new BufferedOutputStream(process.getOutputStream(), 1 << 16);
        from = process.inputReader(StandardCharsets.UTF_8);
        List<DataSource> sets = List.of(data.train(), data.validation(), data.test());
        ask(Map.of(
                "workload", workload.name(),
                "batch", workload.batch(),
                "shape", workload.example(),
                "sizes", sets.stream().map(DataSource::size).toList()));
        try {
            for (DataSource set : sets) {
                send(set);
            }
            to.flush();
        } catch (IOException e) {
            throw ended(e);
        }
        machine = answer().path("machine").asText();
    }

    /** Sends all inputs, then all classes. */
    private void send(DataSource source) throws IOException {
        ByteBuffer classes = bytes(source.size() * Long.BYTES);
        DataSetIterator all = source.iterator(SENDING_BATCH);
        while (all.hasNext()) {
            DataSet batch = all.next();
            float[] inputs =
                    batch.getFeatures().castTo(DataType.FLOAT).dup('c').data().asFloat();
            ByteBuffer bytes = bytes(inputs.length * Float.BYTES);
            bytes.asFloatBuffer().put(inputs);
            to.write(bytes.array());
            for (int label : batch.getLabels().argMax(1).toIntVector()) {
                classes.putLong(label);
            }
        }
        to.write(classes.array());
    }

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns what it said of itself and its machine. */
    String machine() {
        return machine;
    }

    /** Returns the answer to a request. */
    JsonNode ask(Map<String, ?> request) {
        try {
            to.write((MAPPER.writeValueAsString(request) + "\n").getBytes(StandardCharsets.UTF_8));
            to.flush();
        } catch (IOException e) {
            throw ended(e);
        }
        return answer();
    }

    private JsonNode answer() {
        String line;
        try {
            line = from.readLine();
        } catch (IOException e) {
            throw ended(e);
        }
        if (line == null) {
            throw ended(null);
        }
        try {
            return MAPPER.readTree(line);
        } catch (JsonProcessingException e) {
            close();
            throw new Peer.Failure("the program " + program + " answered '" + line + "', which is no JSON", e);
        }
    }

    /** Says how it ended, with the last line that it wrote about it. */
    private Peer.Failure ended(IOException cause) {
        String how = "did not go on";
        try {
            if (process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS)) {
                how = "ended with exit code " + process.exitValue();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close();
        return new Peer.Failure("the program " + program + " " + how + lastError(), cause);
    }

    private String lastError() {
        try {
            List<String> lines = Files.readString(errors)
                    .lines()
                    .filter(line -> !line.isBlank())
                    .toList();
            return lines.isEmpty() ? "" : ": " + lines.get(lines.size() - 1);
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public void close() {
        process.destroy();
    }
}
