package io.github.dl4jfuse.tools.doctor;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.graph.vertex.impl.LayerVertex;
import org.deeplearning4j.nn.layers.recurrent.MaskZeroLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Clocks around the layers of a network, which runs its own steps as ever: while a step is timed, each layer is held by a stand-in that
 * passes every call on and takes the time of forward and backward passes. DL4J asks wrappers (frozen layers, last time steps) for their
 * class, so what they wrap is timed within them; a mask of zeros asks what it wraps, and is timed whole.
 *
 * <p>An output layer's forward time is that of its loss; DL4J computes its product again in the backward pass.
 */
final class LayerClock {

    private static final Set<String> FORWARD =
            Set.of("setInput", "activate", "rnnActivateUsingStoredState", "computeScore");
    private static final Set<String> BACKWARD = Set.of("backpropGradient", "tbpttBackpropGradient");

    /**
     * Where the time of a step went, in nanoseconds.
     *
     * @param forward of each layer
     * @param backward of each layer
     * @param updater from the gradient to the new parameters
     * @param whole all of it
     */
    record Times(long[] forward, long[] backward, long updater, long whole) {

        long rest() {
            return whole
                    - updater
                    - Arrays.stream(forward).sum()
                    - Arrays.stream(backward).sum();
        }
    }

    /** A layer and its clock. */
    final class Timed {

        private final String name;
        private final Layer holder;
        private final Layer layer;
        private final Layer standIn;
        private final boolean first;
        private final Consumer<Layer> place;
        private long inputs;
        private long outputs;
        private long forward;
        private long backward;
        private boolean trained;

        private Timed(String name, Layer holder, boolean first, Consumer<Layer> place) {
            this.name = name;
            this.holder = holder;
            this.first = first;
            Layer inner = holder;
            Consumer<Layer> innerPlace = place;
            while (inner instanceof BaseWrapperLayer wrapper && !(wrapper instanceof MaskZeroLayer)) {
                inner = wrapper.getUnderlying();
                innerPlace = wrapper::setUnderlying;
            }
            layer = inner;
            this.place = innerPlace;
            standIn = (Layer) Proxy.newProxyInstance(
                    layer.getClass().getClassLoader(),
                    interfaces(layer.getClass()),
                    (proxy, method, arguments) -> call(method, arguments));
        }

        /** Returns the layer's name, in a graph that of its vertex. */
        String name() {
            return name;
        }

        /** Returns the layer as the network holds it, which may be a wrapper. */
        Layer holder() {
            return holder;
        }

        /** Returns what a step asks of it, after a step. */
        Work work() {
            return Work.of(layer, inputs, outputs, first, trained);
        }

        private Object call(Method method, Object[] arguments) throws Throwable {
            boolean isForward = FORWARD.contains(method.getName());
            boolean isBackward = BACKWARD.contains(method.getName());
            long begin = System.nanoTime();
            Object result;
            try {
                result = method.invoke(layer, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            if (isForward) {
                Nd4j.getExecutioner().commit();
                forward += System.nanoTime() - begin;
                if (arguments[0] instanceof INDArray input) {
                    inputs = input.length();
                }
                if (result instanceof INDArray output) {
                    outputs = output.length();
                }
            } else if (isBackward) {
                Nd4j.getExecutioner().commit();
                backward += System.nanoTime() - begin;
                trained = true;
            }
            return result;
        }
    }

    /** Takes the time between the gradient and the new parameters. */
    private final class UpdaterClock extends BaseTrainingListener {

        private long begin;

        @Override
        public void onGradientCalculation(Model model) {
            begin = System.nanoTime();
        }

        @Override
        public void iterationDone(Model model, int iteration, int epoch) {
            Nd4j.getExecutioner().commit();
            updater += System.nanoTime() - begin;
        }
    }

    private final List<Timed> layers = new ArrayList<>();
    private long updater;

    /** Makes the clocks of a network as it is now: attach it before. A listener that takes the updater's time stays with the network. */
    LayerClock(Model network) {
        network.addListeners(new UpdaterClock());
        if (network instanceof MultiLayerNetwork plain) {
            Layer[] all = plain.getLayers();
            for (int i = 0; i < all.length; i++) {
                int index = i;
                String own =
                        plain.getLayerWiseConfigurations().getConf(i).getLayer().getLayerName();
                layers.add(new Timed(own == null ? "layer " + i : own, all[i], i == 0, layer -> all[index] = layer));
            }
        } else {
            ComputationGraph graph = (ComputationGraph) network;
            GraphVertex[] vertices = graph.getVertices();
            for (int index : graph.topologicalSortOrder()) {
                if (vertices[index] instanceof LayerVertex vertex) {
                    boolean first = Arrays.stream(vertex.getInputVertices())
                            .allMatch(input -> vertices[input.getVertexIndex()].isInputVertex());
                    layers.add(new Timed(vertex.getVertexName(), vertex.getLayer(), first, vertex::setLayer));
                }
            }
        }
    }

    /** Returns the layers, in the order of the forward pass. */
    List<Timed> layers() {
        return layers;
    }

    /** Takes a step with the clocks in their places, and returns what they say. */
    Times time(Runnable step) {
        layers.forEach(timed -> {
            timed.forward = 0;
            timed.backward = 0;
            timed.place.accept(timed.standIn);
        });
        updater = 0;
        long begin = System.nanoTime();
        try {
            step.run();
            long whole = System.nanoTime() - begin;
            return new Times(
                    layers.stream().mapToLong(timed -> timed.forward).toArray(),
                    layers.stream().mapToLong(timed -> timed.backward).toArray(),
                    updater,
                    whole);
        } finally {
            layers.forEach(timed -> timed.place.accept(timed.layer));
        }
    }

    private static Class<?>[] interfaces(Class<?> type) {
        Set<Class<?>> all = new LinkedHashSet<>();
        for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            Arrays.stream(each.getInterfaces())
                    .filter(one -> Modifier.isPublic(one.getModifiers()))
                    .forEach(all::add);
        }
        return all.toArray(Class<?>[]::new);
    }
}
