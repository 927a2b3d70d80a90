package io.github.dl4jfuse.tools.compare;

import io.github.dl4jfuse.tools.compare.Examples.Example;
import io.github.dl4jfuse.tools.compare.Workload.Split;
import io.github.dl4jfuse.tools.networks.Networks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;

/**
 * Texts drawn from a topic model, and a network that finds their topic. There are {@value #WORDS} words. The language uses them by
 * Zipf's law, word w as often as 1 / (w + {@value #OFFSET}), w = 0, 1, ..; each of {@value #TOPICS} topics by the same law in an order
 * of its own. A text has {@value #LENGTH} words. A share of them, drawn once for each text between {@value #LEAST} and {@value #MOST},
 * comes from the text's topic, which is its class, a share of {@value #OTHER} from one other topic, and the rest from the language.
 */
final class Topics {

    static final int WORDS = 5_000;
    static final int TOPICS = 10;
    static final int LENGTH = 40;
    static final double OFFSET = 3;
    static final double LEAST = 0.1;
    static final double MOST = 0.4;
    static final double OTHER = 0.1;

    /** Texts for training in the full form. */
    static final int TRAIN = 20_000;

    private static final int[] FULL = {TRAIN, 2_000, 5_000};
    private static final int[] FAST = {2_000, 500, 1_000};
    private static final int DIMENSIONS = 32;
    private static final int UNITS = 64;
    private static final long SEED = 20_030_301;

    private final double[] cumulated = new double[WORDS];
    private final int[][] orders = new int[TOPICS][];

    /** Makes the topics. */
    Topics(Random random) {
        double sum = 0;
        for (int rank = 0; rank < WORDS; rank++) {
            sum += 1 / (rank + OFFSET);
            cumulated[rank] = sum;
        }
        for (int topic = 0; topic < TOPICS; topic++) {
            List<Integer> order =
                    new ArrayList<>(IntStream.range(0, WORDS).boxed().toList());
            Collections.shuffle(order, random);
            orders[topic] = order.stream().mapToInt(Integer::intValue).toArray();
        }
    }

    /** Returns a topic's words, the most frequent first. */
    int[] words(int topic) {
        return orders[topic].clone();
    }

    /** Returns the words of one text. */
    int[] text(int topic, Random random) {
        double share = LEAST + (MOST - LEAST) * random.nextDouble();
        int other = (topic + 1 + random.nextInt(TOPICS - 1)) % TOPICS;
        int[] words = new int[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            double from = random.nextDouble();
            int rank = rank(random);
            words[i] = from < share ? orders[topic][rank] : from < share + OTHER ? orders[other][rank] : rank;
        }
        return words;
    }

    private int rank(Random random) {
        int found = Arrays.binarySearch(cumulated, random.nextDouble() * cumulated[WORDS - 1]);
        return Math.min(WORDS - 1, found < 0 ? -found - 1 : found);
    }

    /** Returns the texts: 20,000, 2,000 and 5,000 for training, validation and test, or 2,000, 500 and 1,000. */
    static Split split(boolean full) {
        Random random = new Random(SEED);
        Topics topics = new Topics(random);
        int[] counts = full ? FULL : FAST;
        return new Split(
                topics.texts(counts[0], random), topics.texts(counts[1], random), topics.texts(counts[2], random));
    }

    private Examples texts(int count, Random random) {
        List<Example> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int topic = random.nextInt(TOPICS);
            int[] words = text(topic, random);
            float[] inputs = new float[LENGTH];
            for (int j = 0; j < LENGTH; j++) {
                inputs[j] = words[j];
            }
            texts.add(Example.of(inputs, topic, TOPICS));
        }
        return new Examples("Texts of a topic model", new long[] {1, LENGTH}, texts);
    }

    /** Returns an embedding of {@value #DIMENSIONS} numbers for each word, their mean over the text, and dense {@value #UNITS} with ReLU. */
    static MultiLayerConfiguration network(long seed) {
        return Networks.builder(seed, WeightInit.XAVIER, Activation.RELU)
                .list()
                .layer(new EmbeddingSequenceLayer.Builder()
                        .nIn(WORDS)
                        .nOut(DIMENSIONS)
                        .activation(Activation.IDENTITY)
                        .build())
                .layer(new GlobalPoolingLayer(PoolingType.AVG))
                .layer(new DenseLayer.Builder()
                        .nIn(DIMENSIONS)
                        .nOut(UNITS)
                        .weightInit(WeightInit.RELU)
                        .build())
                .layer(Networks.classes(TOPICS).build())
                .setInputType(InputType.recurrent(WORDS, LENGTH)) // the embedding takes the number of words from it
                .build();
    }
}
