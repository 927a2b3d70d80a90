package io.github.dl4jfuse.contract;

import static io.github.dl4jfuse.contract.DenseNetworks.dense;
import static io.github.dl4jfuse.contract.DenseNetworks.softmax;
import static io.github.dl4jfuse.contract.Network.Group.LAYERS;

import io.github.dl4jfuse.contract.Data.Masks;
import io.github.dl4jfuse.contract.Network.Cause;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers of sequences. */
final class SequenceNetworks {

    private static final int FEATURES = 4;
    private static final int STEPS = 6;
    private static final InputType TYPE = InputType.recurrent(FEATURES, STEPS);
    private static final Data STEPWISE = Data.of(TYPE, Data.atEachStep(Data::classes, STEPS), FEATURES, STEPS);
    private static final Data ONCE = Data.of(TYPE, Data::classes, FEATURES, STEPS);
    private static final Data STEPWISE_NWC = Data.of(
            InputType.recurrent(FEATURES, STEPS, RNNFormat.NWC),
            Data.atEachStepLast(Data::classes, STEPS),
            STEPS,
            FEATURES);
    private static final Data TOKENS = Data.of(InputType.recurrent(8, STEPS), Data::classes, -8, STEPS);

    private SequenceNetworks() {}

    private static LSTM lstm() {
        return new LSTM.Builder().nOut(5).build();
    }

    private static SimpleRnn simple() {
        return new SimpleRnn.Builder().nOut(5).build();
    }

    private static RnnOutputLayer out() {
        return new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .activation(Activation.SOFTMAX)
                .nOut(Data.CLASSES)
                .build();
    }

    private static GlobalPoolingLayer pooling(PoolingType type) {
        return new GlobalPoolingLayer.Builder(type).build();
    }

    private static Network stepwise(String name, Layer... layers) {
        return Network.stack(name, LAYERS, STEPWISE, layers);
    }

    private static Network masked(String name, Layer... layers) {
        return Network.stack(name, LAYERS, STEPWISE.masked(Masks.BOTH), layers);
    }

    private static Network once(String name, Layer... layers) {
        return Network.stack(name, LAYERS, ONCE, layers);
    }

    private static Network onceMasked(String name, Layer... layers) {
        return Network.stack(name, LAYERS, ONCE.masked(Masks.FEATURES), layers);
    }

    static List<Network> all() {
        return List.of(
                stepwise("lstm", lstm(), out()),
                masked("lstm-masked", lstm(), out()),
                Network.stack("lstm-masked-labels", LAYERS, STEPWISE.masked(Masks.LABELS), lstm(), out()),
                Network.stack("lstm-nwc", LAYERS, STEPWISE_NWC, lstm(), out()),
                stepwise("dense-lstm", dense(5), lstm(), out()).inLayers(),
                stepwise("graves-lstm", new GravesLSTM.Builder().nOut(5).build(), out()),
                stepwise(
                        "graves-bidirectional",
                        new GravesBidirectionalLSTM.Builder().nOut(4).build(),
                        out()),
                stepwise("bidirectional", new Bidirectional(Bidirectional.Mode.CONCAT, lstm()), out()),
                masked("bidirectional-masked", new Bidirectional(Bidirectional.Mode.ADD, lstm()), out()),
                stepwise("bidirectional-simple", new Bidirectional(Bidirectional.Mode.CONCAT, simple()), out()),
                stepwise("simple-rnn", simple(), out()),
                once("last-time-step", new LastTimeStep(lstm()), softmax()),
                onceMasked("last-time-step-masked", new LastTimeStep(lstm()), softmax()),
                onceMasked("pooled-masked", lstm(), pooling(PoolingType.MAX), softmax()),
                stepwise("time-distributed", new TimeDistributed(dense(5)), lstm(), out()),
                stepwise("mask-zero", new MaskZeroLayer(lstm(), 0), out()),
                stepwise(
                                "rnn-loss",
                                lstm(),
                                new SimpleRnn.Builder()
                                        .nOut(Data.CLASSES)
                                        .activation(Activation.SOFTMAX)
                                        .build(),
                                new RnnLossLayer.Builder(LossFunction.MCXENT)
                                        .activation(Activation.IDENTITY)
                                        .build())
                        .unchecked(),
                stepwise("truncated", lstm(), out()).because(Cause.TRUNCATED),
                masked("truncated-masked", lstm(), out()).because(Cause.TRUNCATED),
                Network.stack(
                        "repeat-vector",
                        LAYERS,
                        Data.of(InputType.feedForward(10), Data.atEachStep(Data::classes, STEPS), 10),
                        dense(5),
                        new RepeatVector.Builder(STEPS).build(),
                        lstm(),
                        out()),
                once(
                        "convolution-1d",
                        new Convolution1DLayer.Builder(3).nOut(5).build(),
                        new Subsampling1DLayer.Builder(PoolingType.MAX, 2).build(),
                        pooling(PoolingType.AVG),
                        softmax()),
                onceMasked(
                        "convolution-1d-masked",
                        new Convolution1DLayer.Builder(3)
                                .convolutionMode(ConvolutionMode.Same)
                                .nOut(5)
                                .build(),
                        pooling(PoolingType.AVG),
                        softmax()),
                once(
                                "locally-connected-1d",
                                new LocallyConnected1D.Builder()
                                        .kernelSize(2)
                                        .nOut(3)
                                        .activation(Activation.TANH)
                                        .build(),
                                pooling(PoolingType.AVG),
                                softmax())
                        .because(Network.Cause.OTHER_GRADIENT),
                Network.stack(
                        "embedding-sequence",
                        LAYERS,
                        TOKENS,
                        new EmbeddingSequenceLayer.Builder()
                                .nIn(8)
                                .nOut(5)
                                .inputLength(STEPS)
                                .build(),
                        pooling(PoolingType.AVG),
                        softmax()),
                Network.stack(
                        "embedding-sequence-lstm",
                        LAYERS,
                        TOKENS,
                        new EmbeddingSequenceLayer.Builder()
                                .nIn(8)
                                .nOut(5)
                                .inputLength(STEPS)
                                .build(),
                        lstm(),
                        pooling(PoolingType.AVG),
                        softmax()),
                once("self-attention", attention(), pooling(PoolingType.AVG), softmax())
                        .because(Network.Cause.OTHER_GRADIENT),
                onceMasked("self-attention-masked", attention(), pooling(PoolingType.AVG), softmax())
                        .because(Network.Cause.OTHER_GRADIENT),
                once(
                                "recurrent-attention",
                                new RecurrentAttentionLayer.Builder()
                                        .nIn(FEATURES)
                                        .nOut(4)
                                        .nHeads(1)
                                        .headSize(3)
                                        .projectInput(true)
                                        .build(),
                                pooling(PoolingType.AVG),
                                softmax())
                        .because(Network.Cause.OTHER_GRADIENT),
                Network.made("attention-vertex", LAYERS, ONCE::batch, SequenceNetworks::attentionVertex)
                        .because(Network.Cause.OTHER_GRADIENT),
                Network.made(
                        "last-time-step-vertex",
                        LAYERS,
                        ONCE.masked(Masks.FEATURES)::batch,
                        SequenceNetworks::lastTimeStepVertex));
    }

    private static SelfAttentionLayer attention() {
        return new SelfAttentionLayer.Builder()
                .nOut(4)
                .nHeads(2)
                .headSize(2)
                .projectInput(true)
                .build();
    }

    private static Model attentionVertex(NeuralNetConfiguration.Builder builder, IUpdater updater) {
        return new ComputationGraph(builder.graphBuilder()
                .addInputs("in")
                .setInputTypes(TYPE)
                .addLayer("recurrent", lstm(), "in")
                .addVertex(
                        "attention",
                        new AttentionVertex.Builder()
                                .nInKeys(5)
                                .nInQueries(5)
                                .nInValues(5)
                                .nOut(4)
                                .nHeads(2)
                                .headSize(2)
                                .projectInput(true)
                                .build(),
                        "recurrent",
                        "recurrent",
                        "recurrent")
                .addLayer("pool", pooling(PoolingType.AVG), "attention")
                .addLayer("out", softmax(), "pool")
                .setOutputs("out")
                .build());
    }

    private static Model lastTimeStepVertex(NeuralNetConfiguration.Builder builder, IUpdater updater) {
        return new ComputationGraph(builder.graphBuilder()
                .addInputs("in")
                .setInputTypes(TYPE)
                .addLayer("recurrent", lstm(), "in")
                .addVertex("last", new LastTimeStepVertex("in"), "recurrent")
                .addLayer("out", softmax(), "last")
                .setOutputs("out")
                .build());
    }
}
