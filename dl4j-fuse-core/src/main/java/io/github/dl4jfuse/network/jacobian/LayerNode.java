package io.github.dl4jfuse.network.jacobian;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.network.NetworkParameter;
import java.util.List;
import java.util.function.BiConsumer;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A layer or vertex of an {@link LayerGraph}. Here: those that are left to DL4J; {@link FactoredNodes} has the others. */
abstract class LayerNode {

    static final LayerWorkspaceMgr NO_WORKSPACES = LayerWorkspaceMgr.noWorkspaces();

    /** Where its inputs come from: other stages, or below 0 the network's features. */
    int[] inputs;

    /** Whether a cotangent has anything to do here or before. */
    boolean needsCotangent;

    /** Whether something before it is trained. */
    boolean passesOn;

    private final List<NetworkParameter> trained;

    LayerNode(Trainable owner, List<NetworkParameter> all) {
        trained = all.stream()
                .filter(parameter -> parameter.owner() == owner && parameter.isTrained())
                .toList();
    }

    /** Returns the layer, or null for a vertex without one. */
    abstract Layer layer();

    abstract INDArray forward(INDArray[] in, int examples);

    /** Returns the cotangents of the inputs, null where there is nothing to pass on. */
    abstract INDArray[] backward(
            INDArray stack,
            int examples,
            BiConsumer<LayerNode, INDArray> known,
            BiConsumer<LayerNode, Gradient> others);

    /** Returns its trained parameters. */
    final List<NetworkParameter> trained() {
        return trained;
    }

    final boolean isTrained() {
        return !trained.isEmpty();
    }

    /** Returns the trained parameter of this name, or null. */
    final NetworkParameter trained(String name) {
        return trained.stream()
                .filter(parameter -> parameter.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    /** Returns the rows of D with respect to its parameters, or null where only products are known. */
    JacobianBlock block(INDArray cotangents, int examples) {
        return null;
    }

    /** Returns whether {@link #block} knows it, after a forward pass. */
    boolean isKnown(int examples) {
        return !isTrained();
    }

    /** Returns the bytes that {@link #block} will hold, after a forward pass. */
    long blockBytes(long rows) {
        return 0;
    }

    static INDArray stacked(List<INDArray> parts) {
        return parts.size() == 1 ? parts.get(0) : Nd4j.concat(0, parts.toArray(INDArray[]::new));
    }

    /** A stage of a layer with its preprocessor. */
    abstract static class WithLayer extends LayerNode {

        final Layer layer;
        private final InputPreProcessor before;

        WithLayer(Layer layer, Trainable owner, InputPreProcessor before, List<NetworkParameter> parameters) {
            super(owner, parameters);
            this.layer = layer;
            this.before = before;
        }

        @Override
        final Layer layer() {
            return layer;
        }

        @Override
        final INDArray forward(INDArray[] in, int examples) {
            layer.setInputMiniBatchSize(examples);
            INDArray own = in[0].dup('c');
            return forward(
                    before == null
                            ? own
                            : before.preProcess(own, examples, NO_WORKSPACES).dup('c'));
        }

        abstract INDArray forward(INDArray in);

        @Override
        final INDArray[] backward(
                INDArray stack,
                int examples,
                BiConsumer<LayerNode, INDArray> known,
                BiConsumer<LayerNode, Gradient> others) {
            INDArray passed = backwardThrough(stack, examples, known, others);
            if (passed == null || !passesOn || before == null) {
                return new INDArray[] {passed};
            }
            int rows = (int) (stack.size(0) / outputRows(examples));
            INDArray[] parts = new INDArray[rows];
            int each = (int) (passed.size(0) / rows);
            for (int k = 0; k < rows; k++) {
                parts[k] = before.backprop(part(passed, k, each), examples, NO_WORKSPACES)
                        .dup('c');
            }
            return new INDArray[] {stacked(List.of(parts))};
        }

        /** Returns the rows of its output for one batch: examples, or examples times steps. */
        abstract long outputRows(int examples);

        abstract INDArray backwardThrough(
                INDArray stack,
                int examples,
                BiConsumer<LayerNode, INDArray> known,
                BiConsumer<LayerNode, Gradient> others);

        /** Makes DL4J's own backward pass. */
        final Pair<Gradient, INDArray> backpropagate(INDArray input, INDArray cotangents) {
            if (layer.numParams() > 0 && layer.getGradientsViewArray() == null) {
                // DL4J gives a layer inside a FrozenLayer no room for its gradient, and needs it all the same
                INDArray params = layer.params();
                layer.setBackpropGradientsViewArray(Nd4j.zeros(params.dataType(), params.shape()));
            }
            layer.setInput(input.dup('c'), NO_WORKSPACES);
            return layer.backpropGradient(cotangents, NO_WORKSPACES);
        }
    }

    /** A layer that is left to DL4J. */
    static final class OfLayer extends WithLayer {

        private INDArray input;
        private long rows;

        OfLayer(Layer layer, Trainable owner, InputPreProcessor before, List<NetworkParameter> parameters) {
            super(layer, owner, before, parameters);
        }

        @Override
        INDArray forward(INDArray in) {
            input = in;
            INDArray out = layer.activate(in.dup('c'), false, NO_WORKSPACES).dup('c');
            rows = out.size(0);
            return out;
        }

        @Override
        long outputRows(int examples) {
            return rows;
        }

        @Override
        INDArray backwardThrough(
                INDArray stack,
                int examples,
                BiConsumer<LayerNode, INDArray> known,
                BiConsumer<LayerNode, Gradient> others) {
            int count = (int) (stack.size(0) / rows);
            INDArray[] parts = new INDArray[count];
            for (int k = 0; k < count; k++) {
                var result = backpropagate(input, part(stack, k, (int) rows));
                parts[k] =
                        result.getSecond() == null ? null : result.getSecond().dup('c');
                if (isTrained()) {
                    others.accept(this, result.getFirst());
                }
            }
            return parts[0] == null ? null : stacked(List.of(parts));
        }
    }

    /** A vertex without a layer. */
    static final class OfVertex extends LayerNode {

        private final GraphVertex vertex;
        private INDArray[] input;
        private long rows;

        OfVertex(GraphVertex vertex, List<NetworkParameter> parameters) {
            super(vertex, parameters);
            this.vertex = vertex;
        }

        @Override
        Layer layer() {
            return null;
        }

        @Override
        INDArray forward(INDArray[] in, int examples) {
            input = in.clone();
            feed();
            INDArray out = vertex.doForward(false, NO_WORKSPACES).dup('c');
            rows = out.size(0);
            return out;
        }

        private void feed() {
            for (int i = 0; i < input.length; i++) {
                vertex.setInput(i, input[i].dup('c'), NO_WORKSPACES);
            }
        }

        @Override
        INDArray[] backward(
                INDArray stack,
                int examples,
                BiConsumer<LayerNode, INDArray> known,
                BiConsumer<LayerNode, Gradient> others) {
            int count = (int) (stack.size(0) / rows);
            INDArray[][] parts = new INDArray[input.length][count];
            for (int k = 0; k < count; k++) {
                feed();
                vertex.setEpsilon(part(stack, k, (int) rows));
                var result = vertex.doBackward(false, NO_WORKSPACES);
                for (int j = 0; j < input.length; j++) {
                    parts[j][k] = result.getSecond()[j].dup('c');
                }
                if (isTrained()) {
                    others.accept(this, result.getFirst());
                }
            }
            INDArray[] all = new INDArray[input.length];
            for (int j = 0; j < all.length; j++) {
                all[j] = stacked(List.of(parts[j]));
            }
            return all;
        }
    }

    /** Returns one part of a stack. */
    static INDArray part(INDArray stack, int index, int examples) {
        long[] shape = stack.shape().clone();
        shape[0] = examples;
        return stack.reshape('c', stack.size(0), stack.length() / stack.size(0))
                .get(interval((long) index * examples, (long) (index + 1) * examples))
                .dup('c')
                .reshape('c', shape);
    }
}
