package io.github.dl4jfuse.contract;

import static io.github.dl4jfuse.contract.Network.Group.LAYERS;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.samediff.SDLayerParams;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers of vectors. */
final class DenseNetworks {

    static final Data VECTORS = Data.of(InputType.feedForward(10), Data::classes, 10);
    private static final Data TOKENS = Data.of(InputType.feedForward(8), Data::classes, -8, 1);

    private DenseNetworks() {}

    static DenseLayer dense(int size) {
        return new DenseLayer.Builder().nOut(size).build();
    }

    static OutputLayer softmax() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .activation(Activation.SOFTMAX)
                .nOut(Data.CLASSES)
                .build();
    }

    static OutputLayer squares(int outputs) {
        return new OutputLayer.Builder(LossFunction.MSE)
                .activation(Activation.IDENTITY)
                .nOut(outputs)
                .build();
    }

    private static Network vectors(String name, Layer... layers) {
        return Network.stack(name, LAYERS, VECTORS, layers);
    }

    static List<Network> all() {
        return List.of(
                vectors("dense", dense(8), dense(6), softmax()),
                vectors(
                        "dense-without-bias",
                        new DenseLayer.Builder().nOut(8).hasBias(false).build(),
                        softmax()),
                vectors(
                        "dense-layernorm",
                        new DenseLayer.Builder().nOut(8).hasLayerNorm(true).build(),
                        softmax()),
                vectors("dense-batchnorm", dense(8), new BatchNormalization(), softmax()),
                vectors("dense-subclass", new OwnDense(8), softmax()),
                vectors(
                                "relu",
                                new DenseLayer.Builder()
                                        .nOut(8)
                                        .activation(Activation.RELU)
                                        .build(),
                                new ActivationLayer(Activation.SWISH),
                                softmax())
                        .because(Network.Cause.NAN_DERIVATIVE),
                vectors(
                        "elementwise",
                        new ElementWiseMultiplicationLayer.Builder()
                                .nIn(10)
                                .nOut(10)
                                .build(),
                        softmax()),
                vectors("losslayer", dense(Data.CLASSES), new LossLayer.Builder(LossFunction.MSE).build()),
                vectors(
                        "prelu",
                        dense(8),
                        new PReLULayer.Builder().inputShape(8).build(),
                        softmax()),
                vectors(
                        "centerloss",
                        dense(8),
                        new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .nOut(Data.CLASSES)
                                .build()),
                vectors("dropout-layer", dense(8), new DropoutLayer(0.8), softmax())
                        .because(Network.Cause.NOISE),
                Network.stack(
                        "embedding",
                        LAYERS,
                        TOKENS,
                        new EmbeddingLayer.Builder().nIn(8).nOut(5).build(),
                        softmax()),
                vectors("autoencoder-layer", new AutoEncoder.Builder().nOut(8).build(), softmax()),
                vectors(
                        "vae-layer",
                        new VariationalAutoencoder.Builder()
                                .encoderLayerSizes(6)
                                .decoderLayerSizes(6)
                                .nOut(5)
                                .build(),
                        softmax()),
                Network.stack(
                                "ocnn",
                                LAYERS,
                                VECTORS.labelled(Data.numbers(1, 1)),
                                dense(6),
                                new OCNNOutputLayer.Builder()
                                        .nIn(6)
                                        .activation(new ActivationSigmoid())
                                        .hiddenLayerSize(4)
                                        .nu(0.1)
                                        .build())
                        .unchecked(),
                vectors("samediff-layer", new OwnLayer(10, 8), softmax()).because(Network.Cause.OTHER_GRADIENT),
                vectors("samediff-lambda", dense(8), new OwnLambda(), softmax()).because(Network.Cause.OTHER_GRADIENT),
                vectors("frozen", new FrozenLayer(dense(8)), dense(6), softmax())
                        .frozen(0),
                vectors("frozen-with-backprop", dense(8), new FrozenLayerWithBackprop(dense(6)), softmax())
                        .frozen(1),
                Network.made("graph-branches", LAYERS, VECTORS::batch, DenseNetworks::branches),
                Network.made("graph-two-outputs", LAYERS, DenseNetworks::twoOutputs, DenseNetworks::twoOutputs),
                Network.made("graph-frozen-vertex", LAYERS, VECTORS::batch, DenseNetworks::frozenVertex)
                        .frozen(0));
    }

    private static GraphBuilder graph(NeuralNetConfiguration.Builder builder) {
        return builder.graphBuilder().addInputs("in").setInputTypes(InputType.feedForward(10));
    }

    private static Model branches(NeuralNetConfiguration.Builder builder, IUpdater updater) {
        return new ComputationGraph(graph(builder)
                .addLayer("left", dense(6), "in")
                .addLayer("right", dense(6), "in")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "left", "right")
                .addLayer("norm", new BatchNormalization(), "right")
                .addLayer("out", softmax(), "sum", "norm")
                .setOutputs("out")
                .build());
    }

    private static Model frozenVertex(NeuralNetConfiguration.Builder builder, IUpdater updater) {
        NeuralNetConfiguration frozen = new NeuralNetConfiguration.Builder()
                .updater(updater)
                .activation(Activation.TANH)
                .layer(new DenseLayer.Builder().name("layer0").nIn(10).nOut(8).build())
                .build();
        return new ComputationGraph(graph(builder)
                .addVertex("layer0", new FrozenVertex(new LayerVertex(frozen, null)), "in")
                .addLayer("hidden", new DenseLayer.Builder().nIn(8).nOut(6).build(), "layer0")
                .addLayer("out", softmax(), "hidden")
                .setOutputs("out")
                .build());
    }

    private static Model twoOutputs(NeuralNetConfiguration.Builder builder, IUpdater updater) {
        return new ComputationGraph(builder.graphBuilder()
                .addInputs("one", "two")
                .setInputTypes(InputType.feedForward(10), InputType.feedForward(4))
                .addLayer("first", dense(6), "one")
                .addLayer("second", dense(5), "two")
                .addLayer("both", dense(6), "first", "second")
                .addLayer("class", softmax(), "both")
                .addLayer("value", squares(2), "both")
                .setOutputs("class", "value")
                .build());
    }

    private static MultiDataSet twoOutputs(int index, long seed, DataType type) {
        MultiDataSet one = VECTORS.batch(index, seed, type);
        INDArray features = one.getFeatures(0);
        INDArray second =
                features.get(NDArrayIndex.all(), NDArrayIndex.interval(2, 6)).dup('c');
        INDArray values = features.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 2))
                .mul(second.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 2)))
                .dup('c');
        return new MultiDataSet(new INDArray[] {features, second}, new INDArray[] {one.getLabels(0), values});
    }

    /** A user's layer that is DL4J's under another name. */
    public static final class OwnDense extends DenseLayer {
        private static final long serialVersionUID = 1;

        public OwnDense() {
            this(1);
        }

        OwnDense(int size) {
            setNOut(size);
        }
    }

    /** A user's dense layer, written with SameDiff. */
    public static final class OwnLayer extends SameDiffLayer {
        private static final long serialVersionUID = 1;

        private int inputs;
        private int outputs;

        public OwnLayer() {}

        OwnLayer(int inputs, int outputs) {
            this.inputs = inputs;
            this.outputs = outputs;
        }

        public int getInputs() {
            return inputs;
        }

        public void setInputs(int inputs) {
            this.inputs = inputs;
        }

        public int getOutputs() {
            return outputs;
        }

        public void setOutputs(int outputs) {
            this.outputs = outputs;
        }

        @Override
        public InputType getOutputType(int index, InputType type) {
            return InputType.feedForward(outputs);
        }

        @Override
        public void defineParameters(SDLayerParams parameters) {
            parameters.addWeightParam("weights", inputs, outputs);
            parameters.addBiasParam("offsets", 1, outputs);
        }

        @Override
        public void initializeParameters(Map<String, INDArray> parameters) {
            initWeights(inputs, outputs, WeightInit.XAVIER, parameters.get("weights"));
            parameters.get("offsets").assign(0);
        }

        @Override
        public SDVariable defineLayer(
                SameDiff graph, SDVariable in, Map<String, SDVariable> parameters, SDVariable mask) {
            return graph.math().tanh(in.mmul(parameters.get("weights")).add(parameters.get("offsets")));
        }
    }

    /** A user's function without parameters. */
    public static final class OwnLambda extends SameDiffLambdaLayer {
        private static final long serialVersionUID = 1;

        @Override
        public SDVariable defineLayer(SameDiff graph, SDVariable in) {
            return in.mul(1.5).add(0.1);
        }

        @Override
        public InputType getOutputType(int index, InputType type) {
            return type;
        }
    }
}
