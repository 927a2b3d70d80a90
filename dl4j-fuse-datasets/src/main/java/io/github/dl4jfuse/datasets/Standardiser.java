package io.github.dl4jfuse.datasets;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Shifts and scales inputs so that each channel of an image, or all values of a flat image together, have mean 0 and
 * variance 1 over the training set. One pair of numbers for each channel: pixel by pixel, as ND4J's NormalizerStandardize
 * does it, a pixel that is dark in nearly every training image would become a huge number in the test set.
 */
public final class Standardiser implements DataSetPreProcessor {

    private static final long serialVersionUID = 1;
    private static final int BATCH = 1_000;

    private final double[] mean;
    private final double[] deviation;

    private Standardiser(double[] mean, double[] deviation) {
        this.mean = mean;
        this.deviation = deviation;
    }

    /**
     * Measures mean and standard deviation.
     *
     * @param source features of shape [batch, channels, height, width] or [batch, values]
     * @throws IllegalArgumentException if a channel is constant
     */
    public static Standardiser of(DataSource source) {
        double[] sum = null;
        double[] squares = null;
        long count = 0;
        DataSetIterator all = source.iterator(BATCH);
        while (all.hasNext()) {
            INDArray features = all.next().getFeatures();
            int channels = channels(features);
            if (sum == null) {
                sum = new double[channels];
                squares = new double[channels];
            }
            for (int c = 0; c < channels; c++) {
                INDArray values = channel(features, c).dup('c');
                INDArray flat = values.reshape(values.length());
                sum[c] += flat.sumNumber().doubleValue();
                squares[c] += Nd4j.getBlasWrapper().dot(flat, flat);
            }
            count += features.length() / channels;
        }
        double[] mean = new double[sum.length];
        double[] deviation = new double[sum.length];
        for (int c = 0; c < sum.length; c++) {
            mean[c] = sum[c] / count;
            deviation[c] = Math.sqrt(squares[c] / count - mean[c] * mean[c]);
            if (!(deviation[c] > 0)) {
                throw new IllegalArgumentException(
                        "Channel " + c + " of the inputs is constant, so it cannot be standardised.");
            }
        }
        return new Standardiser(mean, deviation);
    }

    private static int channels(INDArray features) {
        return features.rank() == 4 ? (int) features.size(1) : 1;
    }

    private static INDArray channel(INDArray features, int c) {
        return features.rank() == 4 ? features.tensorAlongDimension(c, 0, 2, 3) : features;
    }

    @Override
    public void preProcess(DataSet batch) {
        INDArray features = batch.getFeatures();
        for (int c = 0; c < channels(features); c++) {
            channel(features, c).subi(mean[c]).divi(deviation[c]);
        }
    }
}
