package io.github.dl4jfuse.tools.doctor;

import io.github.dl4jfuse.tools.compare.Workload;
import io.github.dl4jfuse.tools.compare.Workloads;
import io.github.dl4jfuse.tools.networks.ModelFile;
import io.github.dl4jfuse.tools.networks.Networks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/**
 * A network and a batch of random examples for it, whose steps are measured.
 *
 * @param name what the user calls it
 * @param network a MultiLayerNetwork or ComputationGraph, initialised, with DL4J's layers
 * @param batch inputs in [0, 1]; labels are classes in turn where the output is a softmax, else in [0, 1]
 */
record Subject(String name, Model network, MultiDataSet batch) {

    /** Examples in a batch of a saved model; a workload has its own number. */
    static final int BATCH = 128;

    /** So small that the batch is not learnt by heart: gradients that vanish become denormal numbers, which take many times as long. */
    private static final double RATE = 1e-6;

    private static final long SEED = 5;

    /**
     * Returns a network with a batch for it. A workload takes steps of Adam, a saved model those of its own updater.
     *
     * @param name a workload's, or a file of DL4J's ModelSerializer, which ends in .zip
     * @param examples how many examples a batch has; null takes the workload's, or {@value #BATCH}
     * @param shapes the shape of an example for each input, without the batch; empty where it is known
     * @throws IllegalArgumentException with a sentence if there is no such network, or the shape is not known or does not fit
     */
    static Subject of(String name, Integer examples, List<long[]> shapes) {
        Model network;
        int batch;
        List<long[]> known;
        if (name.endsWith(".zip")) {
            network = ModelFile.load(Path.of(name));
            batch = BATCH;
            known = shapes.isEmpty() ? examplesOf(network, name) : shapes;
        } else {
            Workload workload = workload(name);
            network = Networks.network(workload.architecture(SEED), new Adam());
            batch = workload.batch();
            known = List.of(workload.example());
            if (!shapes.isEmpty()) {
                throw new IllegalArgumentException("The workload " + name + " has examples of its own shape, "
                        + Arrays.toString(workload.example()) + ": leave --shape out.");
            }
        }
        if (network instanceof MultiLayerNetwork layers) {
            layers.setLearningRate(RATE);
        } else {
            ((ComputationGraph) network).setLearningRate(RATE);
        }
        return new Subject(name, network, batch(network, examples == null ? batch : examples, known));
    }

    /** Takes a step of training on the batch. */
    static void step(Model network, MultiDataSet batch) {
        if (network instanceof MultiLayerNetwork layers) {
            layers.fit(batch);
        } else {
            ((ComputationGraph) network).fit(batch);
        }
        Nd4j.getExecutioner().commit();
    }

    /** Returns an equal network, with DL4J's layers. */
    Model copy() {
        return network instanceof MultiLayerNetwork layers ? layers.clone() : ((ComputationGraph) network).clone();
    }

    /** Returns network and batch in one line. */
    String inWords() {
        return name + ", " + network.numParams() + " parameters in "
                + network.params().dataType() + ", batch "
                + batch.getFeatures(0).size(0) + ", random examples of shape "
                + Arrays.stream(batch.getFeatures())
                        .map(array -> Arrays.toString(example(array)))
                        .collect(Collectors.joining(" and "));
    }

    private static long[] example(INDArray array) {
        return Arrays.copyOfRange(array.shape(), 1, array.rank());
    }

    private static Workload workload(String name) {
        try {
            return Workloads.named(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    e.getMessage().replaceFirst("\\.$", "") + "; a saved model ends in .zip.", e);
        }
    }

    /** A saved configuration keeps no input type; it tells the shape of vectors, and of images that come as vectors. */
    private static List<long[]> examplesOf(Model network, String name) {
        List<long[]> shapes = new ArrayList<>();
        if (network instanceof MultiLayerNetwork layers) {
            shapes.add(example(
                    layers.getLayerWiseConfigurations().getInputPreProcess(0),
                    layers.getLayer(0).conf().getLayer()));
        } else {
            ComputationGraphConfiguration graph = ((ComputationGraph) network).getConfiguration();
            for (String input : graph.getNetworkInputs()) {
                shapes.add(example(graph, input));
            }
        }
        if (shapes.contains(null)) {
            throw new IllegalArgumentException(Path.of(name).getFileName()
                    + " does not say which shape its examples have: add --shape without the batch, such as 3,32,32 for images or"
                    + " 12,50 for 50 time steps of 12 numbers, once for each input.");
        }
        return shapes;
    }

    private static long[] example(ComputationGraphConfiguration graph, String input) {
        for (var vertex : graph.getVertexInputs().entrySet()) {
            GraphVertex taker = graph.getVertices().get(vertex.getKey());
            if (vertex.getValue().contains(input) && taker instanceof LayerVertex holder) {
                long[] shape =
                        example(holder.getPreProcessor(), holder.getLayerConf().getLayer());
                if (shape != null) {
                    return shape;
                }
            }
        }
        return null;
    }

    private static long[] example(InputPreProcessor before, Layer first) {
        if (before instanceof FeedForwardToCnnPreProcessor images) {
            return new long[] {images.getInputHeight() * images.getInputWidth() * images.getNumChannels()};
        }
        if (before == null && first instanceof DenseLayer dense) {
            return new long[] {dense.getNIn()};
        }
        return before == null && first instanceof OutputLayer output ? new long[] {output.getNIn()} : null;
    }

    private static MultiDataSet batch(Model network, int examples, List<long[]> shapes) {
        Nd4j.getRandom().setSeed(SEED);
        INDArray[] features = shapes.stream()
                .map(shape -> Nd4j.rand(
                        network.params().dataType(),
                        LongStream.concat(LongStream.of(examples), LongStream.of(shape))
                                .toArray()))
                .toArray(INDArray[]::new);
        List<Layer> outputs = new ArrayList<>();
        INDArray[] values;
        try {
            if (network instanceof MultiLayerNetwork layers) {
                requireInputs(1, features.length);
                outputs.add(layers.getOutputLayer().conf().getLayer());
                values = new INDArray[] {layers.output(features[0])};
            } else {
                ComputationGraph graph = (ComputationGraph) network;
                requireInputs(graph.getNumInputArrays(), features.length);
                graph.getConfiguration()
                        .getNetworkOutputs()
                        .forEach(output ->
                                outputs.add(graph.getLayer(output).conf().getLayer()));
                values = graph.output(features);
            }
            INDArray[] labels = new INDArray[values.length];
            for (int i = 0; i < labels.length; i++) {
                labels[i] = labels(outputs.get(i), values[i]);
            }
            MultiDataSet batch = new MultiDataSet(features, labels);
            step(network, batch);
            return batch;
        } catch (IllegalArgumentException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "The network takes no step on random examples of shape "
                            + shapes.stream().map(Arrays::toString).collect(Collectors.joining(" and ")) + ": "
                            + firstLine(e),
                    e);
        }
    }

    private static void requireInputs(int inputs, int shapes) {
        if (inputs != shapes) {
            throw new IllegalArgumentException(
                    "The network has " + inputs + " inputs, and --shape is there " + shapes + " times.");
        }
    }

    private static INDArray labels(Layer output, INDArray values) {
        boolean classifies = output instanceof BaseLayer base && base.getActivationFn() instanceof ActivationSoftmax;
        if (!classifies || values.rank() < 2) {
            return Nd4j.rand(values.dataType(), values.shape());
        }
        INDArray labels = Nd4j.zeros(values.dataType(), values.shape());
        for (int i = 0; i < values.size(0); i++) {
            labels.slice(i).slice(i % values.size(1)).assign(1);
        }
        return labels;
    }

    private static String firstLine(Exception e) {
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        return message.lines().findFirst().orElse(message);
    }
}
