package io.github.dl4jfuse.tools.report;

import java.util.List;

/**
 * What a report says beside its curves.
 *
 * @param title heading
 * @param data name of the data set, with its sizes
 * @param model the network in one line
 * @param machine backend, device and threads in one line
 * @param repeat the command that makes this report again
 * @param runs the runs, in the order of the table
 * @param notes sentences on how to read the numbers
 */
public record ReportData(
        String title,
        String data,
        String model,
        String machine,
        String repeat,
        List<RunResult> runs,
        List<String> notes) {}
