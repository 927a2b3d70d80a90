package io.github.dl4jfuse.network;

import java.util.List;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * BatchNorm's running statistics: sets them to the averages of the batches' means and variances, which DL4J's moving averages
 * tend to, or moves them on by a step. The batch's are read from what DL4J passes off as gradients of the statistics; with decay d
 *
 * <pre>
 *   mean:          Δ = (1 - d) (mean - batch mean)
 *   variance:      Δ = (1 - d) (variance - batch variance)
 *   log10 of σ:    Δ = log10(σ² / (d σ² + (1 - d) batch variance)) / 2
 * </pre>
 */
final class BatchNormStatistics {

    private final List<NetworkParameter> statistics;

    BatchNormStatistics(List<NetworkParameter> parameters) {
        statistics = parameters.stream()
                .filter(parameter -> parameter.owner().getConfig() instanceof BatchNormalization)
                .filter(parameter -> !parameter.isTrained() && !NetworkParameter.isFrozen(parameter.owner()))
                .filter(parameter -> isMean(parameter) || isVariance(parameter) || isLogarithm(parameter))
                .toList();
    }

    private static boolean isMean(NetworkParameter parameter) {
        return parameter.name().equals(BatchNormalizationParamInitializer.GLOBAL_MEAN);
    }

    private static boolean isVariance(NetworkParameter parameter) {
        return parameter.name().equals(BatchNormalizationParamInitializer.GLOBAL_VAR);
    }

    private static boolean isLogarithm(NetworkParameter parameter) {
        return parameter.name().equals(BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
    }

    /**
     * Computes and sets them.
     *
     * @param pass evaluates a batch and returns DL4J's flat gradient array
     */
    void update(Iterable<? extends MultiDataSet> batches, Function<MultiDataSet, INDArray> pass) {
        if (statistics.isEmpty()) {
            return;
        }
        double[][] sums = new double[statistics.size()][];
        long examples = 0;
        for (MultiDataSet batch : batches) {
            long count = batch.getFeatures(0).size(0);
            INDArray changes = pass.apply(batch);
            for (int i = 0; i < sums.length; i++) {
                double[] ofBatch = ofBatch(statistics.get(i), changes);
                sums[i] = sums[i] == null ? new double[ofBatch.length] : sums[i];
                for (int j = 0; j < ofBatch.length; j++) {
                    sums[i][j] += count * ofBatch[j];
                }
            }
            examples += count;
        }
        for (int i = 0; i < sums.length; i++) {
            INDArray values = statistics.get(i).values();
            for (int j = 0; j < sums[i].length; j++) {
                double average = sums[i][j] / examples;
                if (!Double.isFinite(values.dataType() == DataType.DOUBLE ? average : (float) average)) {
                    continue;
                }
                values.putScalar(
                        j,
                        isLogarithm(statistics.get(i)) ? Math.log10(Math.max(average, Float.MIN_NORMAL)) / 2 : average);
            }
        }
    }

    /**
     * Sets all changes to zero if one is not finite, in DL4J's flat gradient array: a batch whose variance overflows can have a
     * finite loss, and would leave statistics that are infinite for ever, and a mean that is finite and useless.
     *
     * @return whether one was not finite
     */
    boolean holdBroken(INDArray changes) {
        boolean broken = statistics.stream()
                .anyMatch(statistic ->
                        !Double.isFinite(statistic.slice(changes).sumNumber().doubleValue()));
        if (broken) {
            statistics.forEach(statistic -> statistic.slice(changes).assign(0));
        }
        return broken;
    }

    /** Moves them as a training step does, by what DL4J's last evaluation has left in its flat gradient array. */
    void step(INDArray changes) {
        holdBroken(changes);
        for (NetworkParameter statistic : statistics) {
            INDArray values = statistic.values();
            values.reshape(values.length()).subi(statistic.slice(changes));
        }
    }

    private static double[] ofBatch(NetworkParameter statistic, INDArray changes) {
        double decay = ((BatchNormalization) statistic.owner().getConfig()).getDecay();
        double[] now = statistic.values().reshape(statistic.values().length()).toDoubleVector();
        double[] change = statistic.slice(changes).toDoubleVector();
        for (int j = 0; j < now.length; j++) {
            if (isLogarithm(statistic)) {
                double variance = Math.pow(10, 2 * now[j]);
                double mixed = variance / Math.pow(10, 2 * change[j]);
                now[j] = (mixed - decay * variance) / (1 - decay);
            } else {
                now[j] -= change[j] / (1 - decay);
            }
        }
        return now;
    }
}
