package io.github.dl4jfuse.acceleration;

import io.github.dl4jfuse.acceleration.onednn.GraphExchange;
import io.github.dl4jfuse.acceleration.onednn.LayerExchange;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.deeplearning4j.config.DL4JClassLoading;
import org.deeplearning4j.config.DL4JSystemProperties;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.layers.mkldnn.BaseMKLDNNHelper;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Switches on the oneDNN implementations of convolution and batch normalization that
 * Deeplearning4j 1.0.0-M2.1 contains but never uses on a CPU.
 *
 * <pre>
 *   Acceleration.enable();      // first line of main, before the first network
 * </pre>
 *
 * <p>Two defects keep them off: the system property {@code org.eclipse.deeplearning4j.helpers.disable} defaults to true,
 * and the check for oneDNN asks a class by its old name, takes the failure for "not there", and never asks again. This
 * sets the property and answers the question under the old name, through the class loader that DL4J offers for such
 * things. Nothing is changed on CUDA, on a backend built without oneDNN, on a DL4J that still has the old class
 * (1.0.0-M1.1), or where the user has set the property.
 *
 * <p>The backend must have been built with oneDNN: dependency {@code nd4j-native} with a classifier such as {@code
 * linux-x86_64-onednn} or {@code linux-x86_64-onednn-avx512}. Outputs and gradients then agree with DL4J's own code to
 * 2e-5 of the largest element, in NCHW and NHWC, for every activation function and for inputs that are views of other
 * arrays: the helpers get a copy of what does not lie in memory as oneDNN takes for granted.
 *
 * <p>DL4J's own code still runs for networks in double, local response normalization, p-norm pooling, and dilated
 * convolutions: this oneDNN refuses those, so each such layer logs a warning with a stack trace once and falls back for
 * good. Dilated pooling is wrong on a backend with oneDNN, with and without this class.
 */
public final class Acceleration {

    private static final Logger log = LoggerFactory.getLogger(Acceleration.class);

    /** What {@link #enable} found and did. */
    public enum State {
        /** New layers use oneDNN. */
        ON,
        /** Nothing was changed, and nothing needs to be: DL4J decides by itself. */
        LEFT_TO_DL4J,
        /** Nothing was changed: there is no oneDNN here, or the user does not want it. */
        OFF
    }

    /**
     * The outcome in words.
     *
     * @param state what holds for layers made from now on
     * @param reason one sentence
     */
    public record Outcome(State state, String reason) {}

    /**
     * What {@link #attach} did.
     *
     * @param layers names of the network's layers that are ours now
     * @param left names of those that are DL4J's, each with the reason in a few words; empty where nothing was tried
     * @param reason one sentence
     */
    public record Attachment(List<String> layers, Map<String, String> left, String reason) {}

    private static Outcome outcome;

    /** What attach said: of many equal networks it is said once. */
    private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

    private Acceleration() {}

    /**
     * Switches the oneDNN helpers on if that is possible, and says in one log line what it did. A second call changes
     * nothing.
     *
     * @throws IllegalStateException if a network exists already: its layers would stay without oneDNN
     */
    public static synchronized Outcome enable() {
        if (outcome == null) {
            int networks = LiveNetworks.count();
            if (networks > 0) {
                throw new IllegalStateException("Acceleration.enable() comes before the first network, but "
                        + networks
                        + " exist already, and their layers stay as they were made: call it in the first line"
                        + " of main.");
            }
            outcome = decide();
            log.info("oneDNN helpers are {}: {}", outcome.state().name().toLowerCase(Locale.ROOT), outcome.reason());
        }
        return outcome;
    }

    /** Returns what {@link #enable} did, or null before its first call. */
    public static synchronized Outcome outcome() {
        return outcome;
    }

    /**
     * Exchanges layers of a network, as it is now, for layers of ours that call oneDNN directly, several times as fast as DL4J's: dense,
     * activation, dropout, output and loss layers; on sequences [n, c, t] convolution, max and average pooling, output layers and LSTM
     * (with gates SIGMOID and activation TANH); on images [n, c, h, w] or [n, h, w, c] convolution, max and average pooling, global
     * pooling (not PNORM), zero padding and batch normalization; all with activation functions IDENTITY, RELU, TANH and SIGMOID, output
     * and loss layers with any; in a graph also vertices that add or merge images between such layers. They share configuration,
     * parameters and gradients with DL4J's, so that updaters, listeners and saved models are as before; outputs and gradients agree with
     * DL4J's to 2e-5 of the largest element. Within frozen layers and {@code LastTimeStep} the inner layers are exchanged. Other layers stay
     * DL4J's, as do images and sequences with masks other than those of labels, and forward passes of an LSTM from a stored state
     * (truncated backpropagation through time, {@code rnnTimeStep}).
     * What is loaded, cloned or transferred from the network has DL4J's layers again, and trains with them without a word: attach it, too.
     *
     * <pre>
     *   net.init();
     *   Acceleration.attach(net);
     * </pre>
     *
     * <p>Between layers of ours images have their channels last in memory, which listeners see as strides. A second call exchanges what is
     * DL4J's still. One line says what was done, once for equal networks, also where it is nothing: not on a GPU, in double or half precision, with DL4J
     * 1.0.0-M1.1, or where the native library is missing.
     *
     * @param model a MultiLayerNetwork or ComputationGraph, initialised, and not in the middle of a step
     * @throws IllegalStateException if it is neither, or is not initialised
     */
    public static Attachment attach(Model model) {
        Attachment attachment = exchange(model);
        if (SAID.add(attachment.reason())) {
            log.info("Layers on oneDNN: {}", attachment.reason());
        } else {
            log.debug("Layers on oneDNN: {}", attachment.reason());
        }
        return attachment;
    }

    private static Attachment exchange(Model model) {
        requireNetwork(model);
        DataType type = model.params().dataType();
        if (type != DataType.FLOAT) {
            return new Attachment(
                    List.of(), Map.of(), "none, as the network is in " + type + " and oneDNN's are in FLOAT.");
        }
        String obstacle = LayerExchange.obstacle();
        if (obstacle != null) {
            return new Attachment(List.of(), Map.of(), "none, as " + obstacle);
        }
        Layer[] layers;
        if (model instanceof MultiLayerNetwork network) {
            LayerExchange.attach(network);
            layers = network.getLayers();
        } else {
            ComputationGraph graph = (ComputationGraph) model;
            GraphExchange.attach(graph);
            layers = graph.getLayers();
        }
        return describe(LayerExchange.names(layers), LayerExchange.obstacles(layers));
    }

    private static Attachment describe(List<String> ours, Map<String, String> left) {
        String others = left.entrySet().stream()
                .map(each -> each.getKey() + " (" + each.getValue() + ")")
                .collect(Collectors.joining(", "));
        String reason = ours.isEmpty() ? "none" : String.join(", ", ours);
        return new Attachment(ours, left, reason + (left.isEmpty() ? "." : "; DL4J's are " + others + "."));
    }

    /** Puts DL4J's layers back into a network, and frees what ours have made. */
    public static void detach(Model model) {
        requireNetwork(model);
        if (model instanceof MultiLayerNetwork network) {
            LayerExchange.detach(network);
        } else {
            GraphExchange.detach((ComputationGraph) model);
        }
    }

    private static void requireNetwork(Model model) {
        if (!(model instanceof MultiLayerNetwork) && !(model instanceof ComputationGraph)) {
            throw new IllegalStateException("Layers are exchanged in a MultiLayerNetwork or ComputationGraph, not in "
                    + (model == null ? "null" : "a " + model.getClass().getName()) + ".");
        }
        boolean initialised = model instanceof MultiLayerNetwork network
                ? network.getLayers() != null
                : ((ComputationGraph) model).getVertices() != null;
        if (!initialised) {
            throw new IllegalStateException("The network has no parameters yet: call init() first.");
        }
    }

    private static Outcome decide() {
        String backend = Nd4j.getExecutioner().getEnvironmentInformation().getProperty("backend");
        if (!"CPU".equalsIgnoreCase(backend)) {
            return new Outcome(State.LEFT_TO_DL4J, "the backend is " + backend + ", which has helpers of its own.");
        }
        if (EnvironmentAdapter.isNeedless()) {
            return new Outcome(State.LEFT_TO_DL4J, "this release of Deeplearning4j finds oneDNN by itself.");
        }
        String disabled = System.getProperty(DL4JSystemProperties.DISABLE_HELPER_PROPERTY);
        if (Boolean.parseBoolean(disabled)) {
            return new Outcome(
                    State.OFF, "-D" + DL4JSystemProperties.DISABLE_HELPER_PROPERTY + "=true switches them off.");
        }
        if (!Nd4j.getBackend().buildInfo().toUpperCase(Locale.ROOT).contains("ONEDNN")) {
            return new Outcome(
                    State.OFF,
                    "this nd4j-native was built without oneDNN; use a classifier that ends in -onednn, -onednn-avx2 or"
                            + " -onednn-avx512.");
        }
        return install(disabled);
    }

    private static Outcome install(String disabledBefore) {
        ClassLoader before = DL4JClassLoading.getDl4jClassloader();
        DL4JClassLoading.setDl4jClassloader(EnvironmentAdapter.loader(before));
        System.setProperty(DL4JSystemProperties.DISABLE_HELPER_PROPERTY, "false");
        if (BaseMKLDNNHelper.mklDnnEnabled()) {
            return new Outcome(State.ON, "convolution, pooling and batch normalization layers in float run on oneDNN.");
        }
        DL4JClassLoading.setDl4jClassloader(before);
        if (disabledBefore == null) {
            System.clearProperty(DL4JSystemProperties.DISABLE_HELPER_PROPERTY);
        }
        return new Outcome(State.OFF, "Deeplearning4j asked before, took oneDNN for missing, and asks only once.");
    }
}
