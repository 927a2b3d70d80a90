package io.github.dl4jfuse.acceleration.onednn;

import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** An argument of oneDNN's primitives: memory of its own, or an array of ND4J's that is named before each call. */
final class Buffer implements AutoCloseable {

    private final memory.desc desc;
    private final memory memory;
    private final Address address;

    /** Address of numbers that somebody else owns. */
    private static final class Address extends Pointer {

        void moveTo(INDArray array) {
            address = array.data().pointer().address() + array.offset() * Float.BYTES;
        }
    }

    private Buffer(memory.desc desc, boolean own) {
        this.desc = desc;
        address = own ? null : new Address();
        memory = own ? new memory(desc, OneDnn.engine()) : new memory(desc, OneDnn.engine(), address);
    }

    /** Memory of its own. */
    static Buffer own(memory.desc desc) {
        return new Buffer(desc, true);
    }

    /** An array that {@link #at} names. */
    static Buffer named(memory.desc desc) {
        return new Buffer(desc, false);
    }

    /** Names the array, which has to lie in memory as the description says. */
    Buffer at(INDArray array) {
        address.moveTo(array);
        memory.set_data_handle(address);
        return this;
    }

    /** Names the memory of another one that has memory of its own. */
    Buffer at(Buffer other) {
        memory.set_data_handle(other.memory.get_data_handle());
        return this;
    }

    memory.desc desc() {
        return desc;
    }

    memory memory() {
        return memory;
    }

    long bytes() {
        return address == null ? desc.get_size() : 0;
    }

    @Override
    public void close() {
        memory.close();
        desc.close();
    }
}
