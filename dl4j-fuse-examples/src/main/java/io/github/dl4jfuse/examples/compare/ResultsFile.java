package io.github.dl4jfuse.examples.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finished runs, one line of JSON each. A line is appended when its run ends, so whatever happens to the program later,
 * finished runs stay. A last line that was cut off is dropped when the file is opened, and that run is done again.
 */
final class ResultsFile {

    private static final Logger log = LoggerFactory.getLogger(ResultsFile.class);

    private final ObjectMapper mapper = new ObjectMapper();
    private final Path file;
    private final List<RunRecord> runs = new ArrayList<>();

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
                read(Files.readString(file));
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

    private void read(String content) throws IOException {
        String[] lines = content.split("\n", -1);
        StringBuilder whole = new StringBuilder();
        for (int i = 0; i < lines.length; i++) {
            boolean last = i == lines.length - 1; // empty after a complete line
            if (lines[i].isBlank()) {
                continue;
            }
            try {
                runs.add(mapper.readValue(lines[i], RunRecord.class));
                whole.append(lines[i]).append('\n');
            } catch (JsonProcessingException e) {
                if (!last) {
                    throw new IllegalArgumentException(
                            "Line " + (i + 1) + " of " + file + " is not a run: mend or delete that line.", e);
                }
                log.warn("The last line of {} was cut off; its run is done again.", file);
            }
        }
        if (!content.contentEquals(whole)) {
            Files.writeString(file, whole);
        }
    }

    List<RunRecord> runs() {
        return List.copyOf(runs);
    }

    void add(RunRecord run) {
        try {
            String line = mapper.writeValueAsString(run) + "\n";
            Files.write(file, line.getBytes(StandardCharsets.UTF_8), StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new IllegalArgumentException("The run could not be written to " + file + " (" + e + ").", e);
        }
        runs.add(run);
    }
}
