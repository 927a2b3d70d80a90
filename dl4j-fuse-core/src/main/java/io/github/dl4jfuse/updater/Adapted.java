package io.github.dl4jfuse.updater;

import java.io.IOException;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.databind.DeserializationContext;
import org.nd4j.shade.jackson.databind.JsonDeserializer;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The name of {@link Preconditioned} in models that were saved before it had that name: read as one, with the state, and never made. */
@JsonDeserialize(using = Adapted.Reader.class)
abstract class Adapted implements IUpdater {

    private static final long serialVersionUID = 1;

    @Override
    public abstract IUpdater clone();

    static final class Reader extends JsonDeserializer<IUpdater> {

        private static final Logger log = LoggerFactory.getLogger(Preconditioned.class);

        @Override
        public IUpdater deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            if (context.getAttribute(Adapted.class) == null) { // once for each text
                context.setAttribute(Adapted.class, true);
                log.info(
                        "The model was saved with the updater Adapted, which is Preconditioned now: saved again it has the new name.");
            }
            return (IUpdater) context.findContextualValueDeserializer(context.constructType(Preconditioned.class), null)
                    .deserialize(parser, context);
        }
    }
}
