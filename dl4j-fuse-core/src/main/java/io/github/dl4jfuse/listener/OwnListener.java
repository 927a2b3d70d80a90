package io.github.dl4jfuse.listener;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import org.deeplearning4j.optimize.api.BaseTrainingListener;

/**
 * What our listeners have in common: each lives beside its network. Serializable for DL4J's and Spark's type checks alone, so
 * that an attempt ends in a sentence of ours and not in the name of a class.
 */
abstract class OwnListener extends BaseTrainingListener implements Serializable {

    private static final long serialVersionUID = 1;

    private void writeObject(ObjectOutputStream out) throws NotSerializableException {
        String name = getClass().getSimpleName();
        throw new NotSerializableException(
                getClass().getName() + " (" + name + " belongs to one network of this process and"
                        + " cannot be serialized. Models are saved without listeners, by ModelSerializer. On Spark, train with the"
                        + " updater alone, or let a TrainingHook give each worker's network a new " + name + ")");
    }
}
