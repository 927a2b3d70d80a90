package io.github.dl4jfuse.datasets;

import io.github.dl4jfuse.datasets.SmallTable.Column;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A table split in three. Features [examples, columns] and labels [examples, classes] or [examples, 1] are float.
 *
 * <p>Numbers to predict are standardised too, always: a label is (value - {@link #targetMean}) / {@link
 * #targetDeviation}, with mean and standard deviation (divided by n) over the training part. R² of predictions is the
 * same in both scales; an error in the table's own unit is {@link #targetDeviation} times that of the labels.
 *
 * @param training what a network learns from
 * @param validation what settings are chosen by
 * @param test what chooses nothing
 * @param targetMean 0 for classes
 * @param targetDeviation 1 for classes
 */
public record TableSplit(
        DataSet training, DataSet validation, DataSet test, double targetMean, double targetDeviation) {

    /** Mean and standard deviation of a column over the training part. */
    private record Scale(double mean, double deviation) {

        private static final Scale NONE = new Scale(0, 1);

        static Scale of(float[][] values, int column, int[] training) {
            double mean = Arrays.stream(training)
                    .mapToDouble(i -> values[i][column])
                    .average()
                    .orElseThrow();
            double variance = Arrays.stream(training)
                    .mapToDouble(i -> (values[i][column] - mean) * (values[i][column] - mean))
                    .average()
                    .orElseThrow();
            boolean constant = Arrays.stream(training).allMatch(i -> values[i][column] == values[training[0]][column]);
            return new Scale(mean, constant ? 1 : Math.sqrt(variance));
        }

        float apply(float value) {
            return (float) ((value - mean) / deviation);
        }
    }

    /** Makes the data sets of the given examples. */
    static TableSplit of(SmallTable table, SmallTable.Parts parts, boolean standardised) {
        float[][] features = table.features().toFloatMatrix();
        float[][] labels = table.labels().toFloatMatrix();
        Scale[] scales = new Scale[features[0].length];
        List<Column> columns = table.columns();
        for (int j = 0; j < scales.length; j++) {
            scales[j] =
                    standardised && !columns.get(j).category() ? Scale.of(features, j, parts.training()) : Scale.NONE;
        }
        Scale[] targets = new Scale[labels[0].length];
        Arrays.fill(targets, table.classes().isEmpty() ? Scale.of(labels, 0, parts.training()) : Scale.NONE);
        return new TableSplit(
                part(features, scales, labels, targets, parts.training()),
                part(features, scales, labels, targets, parts.validation()),
                part(features, scales, labels, targets, parts.test()),
                targets[0].mean,
                targets[0].deviation);
    }

    private static DataSet part(float[][] features, Scale[] scales, float[][] labels, Scale[] targets, int[] examples) {
        return new DataSet(
                Nd4j.createFromArray(scaled(features, scales, examples)),
                Nd4j.createFromArray(scaled(labels, targets, examples)));
    }

    private static float[][] scaled(float[][] values, Scale[] scales, int[] examples) {
        float[][] chosen = new float[examples.length][scales.length];
        for (int i = 0; i < examples.length; i++) {
            for (int j = 0; j < scales.length; j++) {
                chosen[i][j] = scales[j].apply(values[examples[i]][j]);
            }
        }
        return chosen;
    }
}
