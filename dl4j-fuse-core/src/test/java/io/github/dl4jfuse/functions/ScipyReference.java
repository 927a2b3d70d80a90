package io.github.dl4jfuse.functions;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What SciPy's L-BFGS-B did on the test functions, as {@code lbfgs_reference.py} wrote it down. */
public final class ScipyReference {

    private ScipyReference() {}

    /** Returns the rows of the table by {@link TestFunction#toString}, each by the names of its columns. */
    public static Map<String, Map<String, String>> rows() throws IOException {
        Map<String, Map<String, String>> rows = new LinkedHashMap<>();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                ScipyReference.class.getResourceAsStream("scipy-lbfgsb.csv"), StandardCharsets.UTF_8))) {
            List<String[]> lines = in.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split(",", -1))
                    .toList();
            String[] header = lines.get(0);
            for (String[] cells : lines.subList(1, lines.size())) {
                Map<String, String> row = new LinkedHashMap<>();
                for (int c = 0; c < header.length; c++) {
                    row.put(header[c], cells[c]);
                }
                rows.put(row.get("name") + " (n = " + row.get("n") + ")", row);
            }
        }
        return rows;
    }
}
