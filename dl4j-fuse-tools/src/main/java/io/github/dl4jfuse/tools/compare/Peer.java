package io.github.dl4jfuse.tools.compare;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import io.github.dl4jfuse.tools.compare.Runner.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Another framework on one workload: a program that trains the same network on the same examples, with the settings that this
 * side draws and within the budgets that this side sets ({@code src/main/python/compare_peer.py} does it with PyTorch). Its
 * runs are lines of the results file like all others, and its steps are clocked in turns with theirs. Weights and order of the
 * batches come from its own random numbers.
 *
 * <p>As many processes run as runs go on at the same time, none before the first run that is missing.
 */
final class Peer implements AutoCloseable {

    /** Name of its family. */
    static final String FAMILY = "pytorch-adamw";

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path program;
    private final Queue<PeerProcess> started = new ConcurrentLinkedQueue<>();
    private final Deque<PeerProcess> idle = new ConcurrentLinkedDeque<>();

    /** Says in one sentence why the peer cannot take part. */
    static final class Failure extends RuntimeException {

        private static final long serialVersionUID = 1;

        Failure(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * A run.
     *
     * @param course what came out
     * @param machine where it ran
     */
    record Answer(Runner.Course course, String machine) {}

    /** Steps of a block, and where they were taken. */
    record Block(int steps, double seconds, String machine) {}

    /** A peer that is not started yet. */
    Peer(Path program) {
        this.program = program;
    }

    /** Returns its contestants, at the settings of the baseline. */
    static Family family() {
        List<Contestant> members = Families.named(Family.BASELINE).members().stream()
                .map(Contestant::setting)
                .map(setting -> Contestant.of(FAMILY, setting, run -> {
                    throw new IllegalStateException(FAMILY + " is trained by another program.");
                }))
                .toList();
        return new Family(FAMILY, "PyTorch's AdamW, in a process of its own (--peer)", true, members);
    }

    /** Returns whether this contestant is trained by a peer. */
    static boolean trains(Contestant contestant) {
        return contestant.family().equals(FAMILY);
    }

    /** Returns the fingerprint of a contestant: its setting and the program. */
    String fingerprint(Contestant contestant) {
        try {
            return Fingerprint.digest(contestant.setting() + Files.readString(program));
        } catch (IOException e) {
            throw new Failure("the program " + program + " cannot be read (" + e + ")", e);
        }
    }

    /** Trains within the budget. */
    Answer run(
            Workload workload, Workload.Split data, Contestant contestant, long seed, Budget budget, Reading reading) {
        Map<String, Object> request = request("run", contestant, seed, budget);
        request.put("readings", reading == Reading.EVERYTHING ? workload.checkpoints() : 0);
        PeerProcess process = process(workload, data);
        JsonNode answer = process.ask(request);
        Runner.Course course;
        try {
            List<Checkpoint> checkpoints = MAPPER.convertValue(
                    Objects.requireNonNull(answer.get("checkpoints")), new TypeReference<List<Checkpoint>>() {});
            course = new Runner.Course(
                    contestant.setting().toString(),
                    answer.get("failure").asText(),
                    answer.get("steps").asLong(),
                    answer.get("extraBytes").asLong(),
                    fingerprint(contestant),
                    checkpoints);
        } catch (IllegalArgumentException | NullPointerException e) {
            throw noAnswer(answer, "run", e);
        }
        idle.push(process);
        return new Answer(course, process.machine());
    }

    /** Goes on with a training that is only clocked, for at least so many steps and seconds. */
    Block block(
            Workload workload,
            Workload.Split data,
            Contestant contestant,
            long seed,
            Budget budget,
            int steps,
            double seconds) {
        Map<String, Object> request = request("block", contestant, seed, budget);
        request.put("name", contestant.name());
        request.put("steps", steps);
        request.put("seconds", seconds);
        PeerProcess process = process(workload, data);
        JsonNode answer = process.ask(request);
        if (!answer.hasNonNull("steps") || !answer.hasNonNull("seconds")) {
            throw noAnswer(answer, "block", null);
        }
        idle.push(process);
        return new Block(answer.get("steps").asInt(), answer.get("seconds").asDouble(), process.machine());
    }

    private static Map<String, Object> request(String what, Contestant contestant, long seed, Budget budget) {
        Setting setting = contestant.setting();
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("do", what);
        request.put(
                "setting",
                Map.of(
                        "rate", setting.rate(),
                        "shape", setting.shape().name().toLowerCase(Locale.ROOT),
                        "decay", setting.decay(),
                        "dropout", setting.dropout()));
        request.put("seed", seed);
        request.put("budget", Map.of("amount", budget.amount(), "inSeconds", budget.seconds()));
        return request;
    }

    private Failure noAnswer(JsonNode answer, String what, RuntimeException cause) {
        return new Failure("the program " + program + " answered '" + answer + "', which is no " + what, cause);
    }

    /** The one that was used last comes first, so that clocked blocks all go to one. */
    private PeerProcess process(Workload workload, Workload.Split data) {
        PeerProcess process = idle.poll();
        if (process == null) {
            process = new PeerProcess(program, workload, data);
            started.add(process);
        }
        return process;
    }

    /** Ends the processes. */
    @Override
    public void close() {
        started.forEach(PeerProcess::close);
    }
}
