package io.github.dl4jfuse.acceleration.onednn;

import java.util.function.Function;
import org.deeplearning4j.nn.api.Layer;

/** What every layer of ours has besides DL4J's: the one that it stands for, its neighbours, and its kernels by what they are made for. */
final class Exchanged<K, V> {

    private final Layer original;
    private final Neighbours neighbours = new Neighbours();
    private final KernelCache<K, V> kernels;
    private Runnable beforeBackward = () -> {};

    Exchanged(Layer original, Function<K, V> maker) {
        this.original = original;
        kernels = new KernelCache<>(maker);
    }

    Layer original() {
        return original;
    }

    Neighbours neighbours() {
        return neighbours;
    }

    V kernels(K key) {
        return kernels.of(key);
    }

    /** Sets what is done at the beginning of each backward pass. */
    void setBeforeBackward(Runnable action) {
        beforeBackward = action;
    }

    /** A backward pass begins. */
    void backward() {
        beforeBackward.run();
    }

    /** Frees the kernels. */
    void free() {
        kernels.clear();
    }
}
