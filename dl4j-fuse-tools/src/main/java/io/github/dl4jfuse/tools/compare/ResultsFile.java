package io.github.dl4jfuse.tools.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finished runs, one line of JSON each. A line is appended when its run ends, so whatever happens to the program later,
 * finished runs stay. A last line that was cut off is dropped when the file is opened, and that run is done again. Runs
 * that stand on one line, as they do where an end of line was lost, are all kept.
 */
final class ResultsFile {

    private static final Logger log = LoggerFactory.getLogger(ResultsFile.class);

    private final ObjectMapper mapper = new ObjectMapper();
    private final Path file;
    private final List<RunRecord> runs = new ArrayList<>();
    private final Set<String> said = new HashSet<>();

    /**
     * Opens or makes the file.
     *
     * @throws IllegalArgumentException with a sentence if it cannot be read or written, or a line other than the last is
     *     no run
     */
    ResultsFile(Path file) {
        this.file = file;
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            if (Files.exists(file)) {
                read(content());
            } else {
                Files.createFile(file);
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "The results file " + file + " cannot be read or written (" + e
                            + "): name another folder with --out.",
                    e);
        }
    }

    /** Returns the text of the file, which may be compressed where its name ends in .gz; such a one is for reading only. */
    private String content() throws IOException {
        if (!isCompressed()) {
            return Files.readString(file);
        }
        try (InputStream stream = new GZIPInputStream(Files.newInputStream(file))) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private boolean isCompressed() {
        return file.toString().endsWith(".gz");
    }

    private void read(String content) throws IOException {
        String[] lines = content.split("\n", -1);
        StringBuilder whole = new StringBuilder();
        for (int i = 0; i < lines.length; i++) {
            boolean last = i == lines.length - 1; // empty after a complete line
            if (lines[i].isBlank()) {
                continue;
            }
            try (MappingIterator<JsonNode> onLine =
                    mapper.readerFor(JsonNode.class).readValues(mapper.createParser(lines[i]))) {
                while (onLine.hasNextValue()) {
                    RunRecord run = run(onLine.nextValue(), i + 1);
                    runs.add(run);
                    whole.append(mapper.writeValueAsString(run)).append('\n');
                }
            } catch (JsonProcessingException e) {
                if (!last) {
                    throw noRun(i + 1, e);
                }
                log.warn("The last line of {} was cut off; its run is done again.", file);
            }
        }
        if (!content.contentEquals(whole) && !isCompressed()) {
            Files.writeString(file, whole);
        }
    }

    private RunRecord run(JsonNode node, int line) {
        RunRecord run;
        try {
            run = mapper.treeToValue(node, RunRecord.class);
        } catch (JsonProcessingException e) {
            throw noRun(line, e);
        }
        if (run == null
                || Stream.of(run.workload(), run.description(), run.contestant(), run.family(), run.settings())
                        .anyMatch(Objects::isNull)
                || Stream.of(run.budget(), run.commit(), run.machine(), run.failure(), run.checkpoints())
                        .anyMatch(Objects::isNull)
                || run.checkpoints().isEmpty()
                || run.checkpoints().contains(null)) {
            throw noRun(line, null);
        }
        return run;
    }

    private IllegalArgumentException noRun(int line, JsonProcessingException cause) {
        return new IllegalArgumentException(
                "Line " + line + " of " + file + " is not a run: mend or delete that line.", cause);
    }

    /**
     * Returns the run of this name if it was made with the same network, data and updater.
     *
     * @param now what is to be run; asked only where there is a run of that name
     */
    synchronized Optional<RunRecord> find(RunRecord.Key key, Supplier<Fingerprint> now) {
        List<RunRecord> named =
                runs.stream().filter(run -> run.key().equals(key)).toList();
        if (named.isEmpty()) {
            return Optional.empty();
        }
        Fingerprint wanted = now.get();
        Optional<RunRecord> same =
                named.stream().filter(run -> wanted.equals(run.fingerprint())).findFirst();
        if (same.isEmpty()) {
            Fingerprint other = named.get(named.size() - 1).fingerprint();
            String reason = other == null
                    ? "that do not say with which network, data and updater they were made"
                    : "that were made with " + wanted.differenceTo(other);
            if (said.add(key.workload() + reason)) {
                log.warn(
                        "{} holds runs on {} {}: they do not count, and are done again.", file, key.workload(), reason);
            }
        }
        return same;
    }

    synchronized List<RunRecord> runs() {
        return List.copyOf(runs);
    }

    /** Returns the costs of steps on a workload, all of one call; empty where none were measured. */
    List<StepCosts> costs(String workload, boolean full) {
        Path costs = costsFile(workload, full);
        if (!Files.exists(costs)) {
            return List.of();
        }
        try {
            List<StepCosts> all = new ArrayList<>();
            for (String line : Files.readAllLines(costs)) {
                all.add(mapper.readValue(line, StepCosts.class));
            }
            return all;
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "The file of costs " + costs + " cannot be read (" + e
                            + "): delete it, and they are measured anew.",
                    e);
        }
    }

    /** Keeps the costs of a call in place of those of earlier calls. */
    void keepCosts(String workload, boolean full, List<StepCosts> costs) {
        StringBuilder lines = new StringBuilder();
        try {
            for (StepCosts one : costs) {
                lines.append(mapper.writeValueAsString(one)).append('\n');
            }
            Files.writeString(costsFile(workload, full), lines);
        } catch (IOException e) {
            throw new IllegalArgumentException("The costs of steps could not be written (" + e + ").", e);
        }
    }

    private Path costsFile(String workload, boolean full) {
        return file.resolveSibling("costs-" + workload + (full ? "" : "-fast") + ".jsonl");
    }

    synchronized void add(RunRecord run) {
        try {
            String line = mapper.writeValueAsString(run) + "\n";
            Files.write(file, line.getBytes(StandardCharsets.UTF_8), StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new IllegalArgumentException("The run could not be written to " + file + " (" + e + ").", e);
        }
        runs.add(run);
    }
}
