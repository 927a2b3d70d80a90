package io.github.dl4jfuse.datasets;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A small table in memory: features [examples, columns] and labels, both float. For classes the labels are one-hot
 * [examples, classes]; for regression they are the numbers to predict [examples, 1], in their own unit.
 *
 * @param about name, task, source and licence
 * @param columns of the features, in their order
 * @param classes the names of the classes in the order of the labels' columns; none for regression
 * @param features the values as the source has them, in their own units; categories one-hot
 * @param labels what is to be predicted
 */
public record SmallTable(
        SmallTables about, List<Column> columns, List<String> classes, INDArray features, INDArray labels) {

    /** The number of splits of each table. */
    public static final int SPLITS = 10;

    private static final long SPLIT_SEED = 2003;
    private static final double TRAINING = 0.6;
    private static final double VALIDATION = 0.2;

    /** What is to be predicted. */
    public enum Task {
        /** One of several classes. */
        CLASSIFICATION,

        /** A number. */
        REGRESSION
    }

    /**
     * A column of the features.
     *
     * @param name that of the source; "name=category" for a column that holds 1 where the example has this category,
     *     else 0
     * @param category whether it is such a column
     */
    public record Column(String name, boolean category) {}

    /** The numbers of the examples in each part. */
    record Parts(int[] training, int[] validation, int[] test) {}

    /** Returns the number of examples. */
    public int size() {
        return (int) features.size(0);
    }

    /**
     * Returns one of the {@value #SPLITS} random splits into 60 % for training, 20 % for validation and 20 % for
     * testing. They are the same each time. Each class is split in these shares, so that the parts have its share of
     * the whole; the examples of a part are in random order.
     *
     * @param index 0 to 9
     * @param standardised whether each column of numbers is shifted and scaled to mean 0 and variance 1 over the
     *     training part, as users do it, in all three parts; else the features stay as they are. A column that is
     *     constant over the training part is only shifted. Columns of categories stay 0 and 1
     * @throws IllegalArgumentException if there is no such split
     */
    public TableSplit split(int index, boolean standardised) {
        return TableSplit.of(this, parts(index), standardised);
    }

    /** Returns which examples are in which part of a split. */
    Parts parts(int index) {
        if (index < 0 || index >= SPLITS) {
            throw new IllegalArgumentException(
                    "There is no split " + index + "; the splits are 0 to " + (SPLITS - 1) + ".");
        }
        Random random = new Random(SPLIT_SEED + index);
        List<Integer> training = new ArrayList<>();
        List<Integer> validation = new ArrayList<>();
        List<Integer> test = new ArrayList<>();
        for (List<Integer> group : groups()) {
            Collections.shuffle(group, random);
            int first = (int) Math.round(TRAINING * group.size());
            int second = (int) Math.round((TRAINING + VALIDATION) * group.size());
            training.addAll(group.subList(0, first));
            validation.addAll(group.subList(first, second));
            test.addAll(group.subList(second, group.size()));
        }
        return new Parts(shuffled(training, random), shuffled(validation, random), shuffled(test, random));
    }

    /** Returns the examples of each class; for regression all together. */
    private List<List<Integer>> groups() {
        List<List<Integer>> groups = new ArrayList<>();
        for (int i = 0; i < Math.max(1, classes.size()); i++) {
            groups.add(new ArrayList<>());
        }
        int[] of = classes.isEmpty() ? new int[size()] : labels.argMax(1).toIntVector();
        for (int i = 0; i < of.length; i++) {
            groups.get(of[i]).add(i);
        }
        return groups;
    }

    private static int[] shuffled(List<Integer> examples, Random random) {
        // Else the classes would follow each other, and a batch would hold one only.
        Collections.shuffle(examples, random);
        return examples.stream().mapToInt(i -> i).toArray();
    }
}
