package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.RunRecord.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** The readings as a table for other programs. */
final class ResultsCsv {

    private ResultsCsv() {}

    /** Writes all checkpoints of all runs, those of the tuning included. */
    static void write(List<RunRecord> runs, Path file) throws IOException {
        CSVFormat format = CSVFormat.DEFAULT
                .builder()
                .setRecordSeparator('\n')
                .setHeader(("workload,contestant,seed,share,failure,gradients,seconds,training_loss,validation_loss,"
                                + "validation_accuracy,test_loss,test_accuracy")
                        .split(","))
                .build();
        try (CSVPrinter printer = new CSVPrinter(Files.newBufferedWriter(file), format)) {
            for (RunRecord run : runs) {
                for (Checkpoint c : run.checkpoints()) {
                    printer.printRecord(
                            run.workload(),
                            run.contestant(),
                            run.seed(),
                            run.share(),
                            run.failure(),
                            c.gradients(),
                            c.seconds(),
                            c.trainingLoss(),
                            c.validationLoss(),
                            c.validationAccuracy(),
                            c.testLoss(),
                            c.testAccuracy());
                }
            }
        }
    }
}
