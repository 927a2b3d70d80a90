package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** Runs as a CSV table. */
final class CompareCsv {

    private CompareCsv() {}

    /** Returns all checkpoints of all runs, those of the sweeps included. */
    static String of(List<RunRecord> runs) {
        StringWriter text = new StringWriter();
        CSVFormat format = CSVFormat.DEFAULT
                .builder()
                .setRecordSeparator('\n')
                .setHeader(
                        ("workload,contestant,seed,failure,gradients,seconds,training_loss,validation_loss,test_loss,"
                                        + "test_accuracy")
                                .split(","))
                .build();
        try (CSVPrinter printer = new CSVPrinter(text, format)) {
            for (RunRecord run : runs) {
                for (Checkpoint c : run.checkpoints()) {
                    printer.printRecord(
                            run.workload(),
                            run.contestant(),
                            run.seed(),
                            run.failure(),
                            c.gradients(),
                            c.seconds(),
                            c.trainingLoss(),
                            c.validationLoss(),
                            c.testLoss(),
                            c.testAccuracy());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }
}
