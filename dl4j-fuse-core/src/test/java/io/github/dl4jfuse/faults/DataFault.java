package io.github.dl4jfuse.faults;

import java.util.Random;
import java.util.regex.Pattern;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** What may be wrong with a batch, and the words of a log line that names it. */
enum DataFault {
    NONE("listener|rate|evaluat|exception"),
    NAN_ELEMENT("finite"),
    INFINITE_ELEMENT("finite"),
    TIMES_255("finite|loss|inputs"),
    TIMES_1E12("finite|loss|inputs"),
    OUTLIER("finite|loss|inputs"),
    NAN_LABELS("finite"),
    LABEL_NOISE("loss|labels|targets|same batch"),
    EMPTY_MASK("mask|finite|loss"),
    CONSTANT_INPUTS("loss|inputs"),
    ZERO_BATCH("loss|inputs|zero"),
    LARGER_BATCH("examples"),
    SMALLER_BATCH("examples");

    private static final int TIMES_AS_LARGE = 8;

    private final Pattern words;

    DataFault(String words) {
        this.words = Pattern.compile(words);
    }

    boolean isNamedBy(String line) {
        return words.matcher(line).find();
    }

    int examples(int usual) {
        return switch (this) {
            case LARGER_BATCH -> TIMES_AS_LARGE * usual;
            case SMALLER_BATCH -> 1;
            default -> usual;
        };
    }

    /** Spoils a batch in place. */
    void strike(DataSet batch, Random random) {
        INDArray features = batch.getFeatures();
        INDArray labels = batch.getLabels();
        switch (this) {
            case NAN_ELEMENT -> put(features, random, Double.NaN);
            case INFINITE_ELEMENT ->
                put(features, random, random.nextBoolean() ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY);
            case TIMES_255 -> features.muli(255);
            case TIMES_1E12 -> features.muli(1e12);
            case OUTLIER -> put(features, random, Math.pow(10, 3 + random.nextInt(20)));
            case NAN_LABELS -> labels.assign(Double.NaN);
            case LABEL_NOISE -> {
                INDArray copy = labels.dup();
                long n = labels.size(0);
                for (long i = 0; i < n; i++) {
                    labels.slice(i).assign(copy.slice(random.nextInt((int) n)));
                }
            }
            case EMPTY_MASK ->
                batch.setLabelsMaskArray(
                        labels.rank() == 3
                                ? Nd4j.zeros(labels.dataType(), labels.size(0), labels.size(2))
                                : Nd4j.zeros(labels.dataType(), labels.size(0), 1));
            case CONSTANT_INPUTS -> features.assign(random.nextGaussian());
            case ZERO_BATCH -> features.assign(0);
            default -> {}
        }
    }

    private static void put(INDArray array, Random random, double value) {
        array.reshape(array.length()).putScalar(random.nextInt((int) array.length()), value);
    }
}
