package io.github.dl4jfuse.tools.rivals;

import java.util.List;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Others' published methods for the comparison. Each rate r is a schedule over iteration and epoch; decay is decoupled and on weights
 * only, not on biases or BatchNorm: w ← w - update - r · decay · w. DL4J adds ½ decay |w|² to the score that it reports, except with
 * {@link #scheduleFree}, but nothing to the gradient.
 */
public final class Rivals {

    /** SOAP's longest side that is rotated, as published. */
    public static final long LONGEST_SIDE = 10_000;

    private Rivals() {}

    /** AdamW: DL4J's Adam with β₁ = .9, β₂ = .999, ε = 1e-8, and decoupled decay. */
    public static Rival adamW(ISchedule rate, double decay) {
        return everywhere(new Adam(rate), decayOf(decay));
    }

    /**
     * {@link #adamW} that answers with an average of its weights after each step, (1 - d) Σ dᵗ⁻ⁱ wᵢ / (1 - dᵗ).
     *
     * @param average d, in [0, 1)
     */
    public static Rival adamEma(ISchedule rate, double decay, double average) {
        return new Rival(adamW(rate, decay).updaters(), new AverageWeights(average));
    }

    /** DL4J's Nesterov momentum of .9, with decoupled decay. */
    public static Rival nesterov(ISchedule rate, double decay) {
        return everywhere(new Nesterovs(rate), decayOf(decay));
    }

    /**
     * Muon for the weights of hidden dense, convolution (as [out, in · height · width]), LSTM (gate by gate) and simple recurrent
     * layers. AdamW for the weights of output layers, embeddings and all other layers; Adam for biases and BatchNorm.
     *
     * @throws IllegalArgumentException when applied to a layer with layer normalization
     */
    public static Rival muon(ISchedule rate, double decay) {
        Adam adam = new Adam(rate);
        return matrices(
                adam,
                decay,
                true,
                (layer, number, output, matrices) ->
                        output || isEmbedding(layer) ? adam : new Muon(rate, number, matrices));
    }

    /** {@link #soap(ISchedule, double, boolean, long)} with sides up to {@link #LONGEST_SIDE}. */
    public static Rival soap(ISchedule rate, double decay, boolean oneSided) {
        return soap(rate, decay, oneSided, LONGEST_SIDE);
    }

    /**
     * SOAP for the weights of dense, output, embedding, convolution (as [out, in · height · width]), LSTM (all gates together) and simple
     * recurrent layers. Adam with SOAP's β₁ = β₂ = .95 for all else. A side of n inputs or outputs costs 2 n² numbers, and every tenth
     * step a QR decomposition of n by n: on one core .04 s for 784, 1.5 s for 3,136.
     *
     * @param oneSided whether only the shorter side is rotated
     * @param longestSide sides longer than that are not rotated
     * @throws IllegalArgumentException when applied to a layer with layer normalization
     */
    public static Rival soap(ISchedule rate, double decay, boolean oneSided, long longestSide) {
        Adam adam = Adam.builder()
                .learningRateSchedule(rate)
                .beta1(Soap.BETA)
                .beta2(Soap.BETA)
                .build();
        return matrices(
                adam,
                decay,
                false,
                (layer, number, output, matrices) -> new Soap(rate, number, matrices, oneSided, longestSide));
    }

    /**
     * Schedule-Free AdamW, decay at the point y where gradients are taken. The network trains at y and answers at x, which
     * {@link Rival#evaluation} puts in.
     *
     * @param warmUpSteps in which the rate rises along a line
     */
    public static Rival scheduleFree(double rate, double decay, int warmUpSteps) {
        IUpdater weights = new ScheduleFree(rate, decay, warmUpSteps);
        IUpdater others = new ScheduleFree(rate, 0, warmUpSteps);
        return new Rival(
                new WeightRules((layer, number, output) -> weights, others, decay == 0 ? null : new DecayPoint()),
                new ScheduleFreeWeights());
    }

    /** {@link Prodigy}, without decay. */
    public static Rival prodigy(ISchedule factor) {
        return everywhere(new Prodigy(factor), null);
    }

    private static Rival everywhere(IUpdater updater, Regularization decay) {
        return new Rival(new WeightRules((layer, number, output) -> updater, updater, decay), null);
    }

    private interface MatrixChoice {
        IUpdater of(Layer layer, int number, boolean output, List<Matrices> matrices);
    }

    /** All layers whose matrices are known, and one rule for the others. */
    private static Rival matrices(IUpdater others, double decay, boolean byGate, MatrixChoice choice) {
        WeightRules.Choice weights = (layer, number, output) -> {
            List<Matrices> known = Matrices.of(layer, byGate);
            return known.isEmpty() ? others : choice.of(layer, number, output, known);
        };
        return new Rival(new WeightRules(weights, others, decayOf(decay)), null);
    }

    private static Regularization decayOf(double decay) {
        return decay == 0 ? null : new WeightDecay(decay, true);
    }

    private static boolean isEmbedding(Layer layer) {
        return layer instanceof EmbeddingLayer || layer instanceof EmbeddingSequenceLayer;
    }
}
