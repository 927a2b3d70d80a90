package io.github.dl4jfuse.tools.networks;

import io.github.dl4jfuse.datasets.DataSource;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.NeuralNetwork;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.ops.transforms.Transforms;

/** The kinds of networks that the programs train, and what they all do with a network. */
public final class Networks {

    /** Added to a probability, so that its logarithm is finite; what is not a number stays so. */
    private static final double LEAST = 1e-30;

    private Networks() {}

    /** Begins a network: seed and initialisation of the weights, and the activation of all layers but the last. */
    public static NeuralNetConfiguration.Builder builder(long seed, WeightInit weights, Activation activation) {
        return new NeuralNetConfiguration.Builder()
                .seed(seed)
                .weightInit(weights)
                .activation(activation);
    }

    /** Returns the output layer of a classifier: softmax with cross-entropy, Xavier's weights. */
    public static OutputLayer.Builder classes(int count) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(count)
                .weightInit(WeightInit.XAVIER)
                .activation(Activation.SOFTMAX);
    }

    /** Returns dense layers of so many units, and the output layer. */
    public static MultiLayerConfiguration dense(
            NeuralNetConfiguration.Builder builder, int inputs, int[] units, OutputLayer.Builder output) {
        ListBuilder list = builder.list();
        int before = inputs;
        for (int count : units) {
            list.layer(new DenseLayer.Builder().nIn(before).nOut(count).build());
            before = count;
        }
        return list.layer(output.nIn(before).build()).build();
    }

    /** Returns the multilayer perceptron inputs-256-128-classes with ReLU: 235,146 parameters on 28 x 28 grey images. */
    public static MultiLayerConfiguration perceptron(long seed, int inputs, int classes) {
        return dense(builder(seed, WeightInit.RELU, Activation.RELU), inputs, new int[] {256, 128}, classes(classes));
    }

    /**
     * Returns two convolutions, each with BatchNorm and max-pooling, and a classifier with one dense layer. The ReLU that is asked of
     * BatchNorm is never applied by DL4J (docs/upstream.md); it stands here because results were measured with it.
     */
    public static MultiLayerConfiguration convolutional(
            long seed, InputType images, int kernel, int[] channels, int units, int classes) {
        ListBuilder list = builder(seed, WeightInit.RELU, Activation.RELU).list();
        for (int count : channels) {
            list.layer(new ConvolutionLayer.Builder(kernel, kernel)
                            .nOut(count)
                            .activation(Activation.IDENTITY)
                            .build())
                    .layer(new BatchNormalization.Builder()
                            .activation(Activation.RELU)
                            .build())
                    .layer(pooling());
        }
        return list.layer(new DenseLayer.Builder().nOut(units).build())
                .layer(classes(classes).build())
                .setInputType(images)
                .build();
    }

    /** Returns max-pooling by 2 x 2. */
    public static SubsamplingLayer pooling() {
        return new SubsamplingLayer.Builder().kernelSize(2, 2).stride(2, 2).build();
    }

    /** Returns the network with one updater in all its layers; a configuration serves one network only. */
    public static MultiLayerNetwork network(MultiLayerConfiguration configuration, IUpdater updater) {
        configuration.getConfs().forEach(conf -> setUpdater(conf.getLayer(), updater));
        MultiLayerNetwork network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    /** Returns the network with one updater in all its layers. */
    public static Model network(Architecture architecture, IUpdater updater) {
        return architecture.withUpdater(updater).build();
    }

    /** Sets one updater for weights and biases; a frozen layer stays as it is. */
    public static void setUpdater(Layer layer, IUpdater updater) {
        if (layer instanceof BaseLayer base) {
            base.setIUpdater(updater);
            base.setBiasUpdater(null);
        } else if (layer instanceof AbstractSameDiffLayer sameDiff) {
            sameDiff.setUpdater(updater);
            sameDiff.setBiasUpdater(null);
        } else if (layer instanceof BaseWrapperLayer wrapper) {
            setUpdater(wrapper.getUnderlying(), updater);
        } else if (layer instanceof Bidirectional both) {
            setUpdater(both.getFwd(), updater);
            setUpdater(both.getBwd(), updater);
        }
    }

    /** Returns the next batch, the first of a new epoch after the last one. */
    public static DataSet next(DataSetIterator batches) {
        if (!batches.hasNext()) {
            batches.reset();
        }
        return batches.next();
    }

    /** Takes a step of training on a batch. */
    public static void fit(Model network, DataSet batch) {
        ((NeuralNetwork) network).fit(batch);
    }

    /** Counts an epoch, as DL4J does at the end of an iterator. */
    public static void countEpoch(Model network) {
        if (network instanceof MultiLayerNetwork layers) {
            layers.incrementEpochCount();
        } else {
            ((ComputationGraph) network).incrementEpochCount();
        }
    }

    /** Returns the bytes of what the updater keeps, such as Adam's moments. */
    public static long updaterBytes(Model network) {
        INDArray state = ((NeuralNetwork) network).updaterState();
        return state == null ? 0 : state.length() * state.dataType().width();
    }

    /** Returns the mean loss over all examples, in evaluation mode, with the penalty of L1 and L2 where there is one. */
    public static double loss(Model network, DataSource source, int batchSize) {
        double sum = 0;
        DataSetIterator all = source.iterator(batchSize);
        while (all.hasNext()) {
            DataSet batch = all.next();
            sum += score(network, batch) * batch.numExamples();
        }
        return sum / source.size();
    }

    private static double score(Model network, DataSet batch) {
        return network instanceof MultiLayerNetwork layers
                ? layers.score(batch, false)
                : ((ComputationGraph) network).score(batch, false);
    }

    /** DL4J counts weight decay as a penalty, so that a network with it would be charged for what another is not. */
    private static double penalty(Model network) {
        return network instanceof MultiLayerNetwork layers
                ? layers.calcRegularizationScore(true)
                : ((ComputationGraph) network).calcRegularizationScore(true);
    }

    private static INDArray output(Model network, DataSet batch) {
        if (network instanceof MultiLayerNetwork layers) {
            return layers.output(batch.getFeatures(), false, batch.getFeaturesMaskArray(), batch.getLabelsMaskArray());
        }
        INDArray[] masks = batch.getFeaturesMaskArray() == null ? null : new INDArray[] {batch.getFeaturesMaskArray()};
        return ((ComputationGraph) network).output(false, new INDArray[] {batch.getFeatures()}, masks)[0];
    }

    /**
     * How good a network is on some examples.
     *
     * @param loss mean loss, without the penalties of L1, L2 and weight decay
     * @param accuracy share of examples whose class is found, NaN without classes
     */
    public record Score(double loss, double accuracy) {

        /** Nothing was read. */
        public static final Score UNKNOWN = new Score(Double.NaN, Double.NaN);
    }

    /**
     * Evaluates a network. Where labels are classes, one pass gives both the mean of -log of the probability of the right class,
     * weighted by the label, and the accuracy; an output that is not a number finds no class.
     *
     * @param batches examples
     * @param most no further batch is taken once so many examples are in
     * @param classes whether the network ends in a softmax over classes
     */
    public static Score score(Model network, DataSetIterator batches, int most, boolean classes) {
        double loss = 0;
        double right = 0;
        int examples = 0;
        while (batches.hasNext() && examples < most) {
            DataSet batch = batches.next();
            examples += batch.numExamples();
            if (classes) {
                INDArray output = output(network, batch);
                INDArray labels = batch.getLabels().castTo(output.dataType());
                INDArray logarithm = Transforms.log(output.add(LEAST), false);
                loss -= logarithm.muli(labels).sumNumber().doubleValue();
                right += output.argMax(1)
                        .eq(labels.argMax(1))
                        .castTo(output.dataType())
                        .sumNumber()
                        .doubleValue();
            } else {
                loss += (score(network, batch) - penalty(network)) * batch.numExamples();
            }
        }
        return new Score(loss / examples, classes ? right / examples : Double.NaN);
    }

    /** Returns the share of examples whose class is found; DL4J throws an exception where an output is not a number. */
    public static double accuracy(Model network, DataSource source, int batchSize) {
        Evaluation evaluation = new Evaluation();
        ((NeuralNetwork) network).doEvaluation(source.iterator(batchSize), evaluation);
        return evaluation.accuracy();
    }
}
